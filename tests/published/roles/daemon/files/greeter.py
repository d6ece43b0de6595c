#!/usr/bin/python3
"""Answers each request with a greeting."""
import http.server
import os


class Greeter(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(os.environ.get("GREETING", "").encode())


http.server.HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Greeter).serve_forever()
