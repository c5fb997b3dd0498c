"""The pages and the REST API: what people see, and programs that ask in their stead."""
