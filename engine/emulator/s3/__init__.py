"""S3: what moto drops or lets pass (names, policies, lifecycle filters, Object Lock on a bucket in use)."""
