"""Reporting what no SDK reports: requests that were refused with 401, 403 or 407, to a monitor.

Each module hooks into one framework or client. On the way of a healthy request only its status is looked at; a refused
one is described (`exchange`), freed of secrets, and handed to a thread that sends it (`reporter`). Nothing here raises
into the application or waits for the network, and nothing beyond the standard library is needed.

`to` is the address of a project: ``http://KEY@host:4010/1``. Refusals go as Sentry's envelopes; put ``airbrake+`` or
``otlp+`` in front to send Airbrake's notices or OTLP's spans instead.
"""
