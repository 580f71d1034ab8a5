"""The session: where uploads go."""


class Session:
    def __init__(self, boto_session, default_bucket, sagemaker_config):
        self.boto_session, self.default_bucket = boto_session, default_bucket
