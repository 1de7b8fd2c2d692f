"""The live half of the app: from a trainer in a worker process to the WebSocket of a page."""
