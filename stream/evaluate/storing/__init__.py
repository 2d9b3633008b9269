"""Redis, Kafka and the event loop: whose model it is, what is read and asked together, and the one script that concludes."""
