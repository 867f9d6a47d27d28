"""HTTP as the API server and the node's API speak it: requests, answers, and connections that are handed on."""
