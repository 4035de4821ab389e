"""Long work: a queue that is only a doorbell, and the worker that answers it. What has to be done stands in rows."""
