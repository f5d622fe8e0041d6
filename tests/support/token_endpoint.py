#!/usr/bin/env python3
"""An OpenID Connect provider for tests, as far as the client credentials grant needs one (RFC 6749 section 4.4).

    token_endpoint.py keys DIR                    a key to sign with, DIR/jwks.json for whoever checks, a CA and a certificate
    token_endpoint.py token DIR CLAIM=VALUE...    prints a token (RS256); exp and iat are relative to now, in seconds
    token_endpoint.py serve DIR ID SECRET         https on loopback: DIR/port has its port, DIR/ca.crt its CA, DIR/requests
                                                  what it was asked; tokens live as many seconds as DIR/lifetime says

Standard library and the openssl command line; listens on 127.0.0.1 only.
"""
import base64
import http.server
import json
import os
import ssl
import subprocess
import sys
import time
import urllib.parse

key, issuer, audience = "key.pem", "https://login.example.com", "kafka"


def openssl(*arguments, data=None):
    return subprocess.run(["openssl", *arguments], input=data, capture_output=True, check=True).stdout


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def write(path, text):
    with open(path + ".new", "w") as file:
        file.write(text)
    os.replace(path + ".new", path)


def make_keys(folder):
    os.makedirs(folder, exist_ok=True)
    os.chdir(folder)
    openssl("genrsa", "-out", key, "2048")
    modulus = bytes.fromhex(openssl("rsa", "-in", key, "-noout", "-modulus").decode().strip().split("=")[1])
    public = {"kty": "RSA", "use": "sig", "alg": "RS256", "kid": "one", "n": base64url(modulus), "e": "AQAB"}
    write("jwks.json", json.dumps({"keys": [public]}))
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "ca.key", "-out", "ca.crt", "-days", "2", "-subj", "/CN=test CA")
    openssl("req", "-newkey", "rsa:2048", "-nodes", "-keyout", "tls.key", "-out", "tls.csr", "-subj", "/CN=127.0.0.1")
    write("san", "subjectAltName=IP:127.0.0.1\n")
    openssl("x509", "-req", "-in", "tls.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-extfile", "san",
            "-out", "tls.crt")


def token(folder, claims):
    now = int(time.time())
    all_claims = {"iss": issuer, "aud": audience, "iat": 0, "exp": 3600, **claims}
    for name in "iat", "exp":
        all_claims[name] = now + int(all_claims[name])
    head = {"alg": "RS256", "typ": "JWT", "kid": "one"}
    text = ".".join(base64url(json.dumps(part).encode()) for part in (head, all_claims))
    return text + "." + base64url(openssl("dgst", "-sha256", "-sign", os.path.join(folder, key), data=text.encode()))


class Endpoint(http.server.BaseHTTPRequestHandler):
    """Answers as RFC 6749 sections 5.1 and 5.2 say."""

    folder = client = secret = None

    def do_POST(self):
        form = urllib.parse.parse_qs(self.rfile.read(int(self.headers.get("Content-Length", 0))).decode())
        scheme, _, encoded = self.headers.get("Authorization", "").partition(" ")
        given = [urllib.parse.unquote_plus(part) for part in base64.b64decode(encoded).decode().split(":", 1)]
        with open(os.path.join(self.folder, "requests"), "a") as log:
            log.write(f"{self.path} {given[0]} {form.get('scope', ['-'])[0]}\n")
        if scheme != "Basic" or given != [self.client, self.secret]:
            return self.answer(401, {"error": "invalid_client"})
        if form.get("grant_type") != ["client_credentials"] or self.path != "/token":
            return self.answer(400, {"error": "unsupported_grant_type"})
        with open(os.path.join(self.folder, "lifetime")) as file:
            lifetime = int(file.read())
        claims = {"sub": self.client, "exp": lifetime, **{"scope": scope for scope in form.get("scope", [])}}
        self.answer(200, {"access_token": token(self.folder, claims), "token_type": "Bearer", "expires_in": lifetime})

    def answer(self, status, body):
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        pass


def serve(folder, client, secret):
    Endpoint.folder, Endpoint.client, Endpoint.secret = folder, client, secret
    write(os.path.join(folder, "lifetime"), "3600")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Endpoint)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(os.path.join(folder, "tls.crt"), os.path.join(folder, "tls.key"))
    server.socket = context.wrap_socket(server.socket, server_side=True)
    write(os.path.join(folder, "port"), str(server.server_address[1]))
    server.serve_forever()


def main(arguments):
    if len(arguments) == 2 and arguments[0] == "keys":
        make_keys(arguments[1])
    elif len(arguments) >= 2 and arguments[0] == "token":
        print(token(arguments[1], dict(claim.split("=", 1) for claim in arguments[2:])))
    elif len(arguments) == 4 and arguments[0] == "serve":
        serve(*arguments[1:])
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
