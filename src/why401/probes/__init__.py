"""The live side: send one request as asked, follow redirects by hand, record every leg.

libcurl (through pycurl) does the sending, so curl's options mean exactly what they mean in curl: Digest,
NTLM, Negotiate, proxies, client certificates, `--resolve`, HTTP/2 and HTTP/3.
"""
