#!/bin/bash
# OpenTofu 1.12.6 (built from its published Go module; needs Go and Python 3): when an apply cannot store the state, the state
# is left in errored.tfstate and the error says to run "tofu state push errored.tfstate". Where the code has state encryption
# that file is encrypted, and "state push" reads its source as one that is not: "This state file is encrypted and can not be
# read without an encryption configuration", although the configuration is there. Without encryption the same steps work.
set -euo pipefail
work=$(mktemp -d)
server=
trap 'kill ${server:-0} 2>/dev/null || true; chmod -R u+w "$work"; rm -rf "$work"' EXIT
cd "$work"
mkdir build && (
  cd build
  go mod init tool
  go mod edit -replace=github.com/hashicorp/hcl/v2@v2.20.1=github.com/opentofu/hcl/v2@v2.20.2-0.20251021132045-587d123c2828
  export GOFLAGS=-mod=mod CGO_ENABLED=0
  go get github.com/opentofu/opentofu/cmd/tofu@v1.12.6
  go build -trimpath -buildvcs=false -o ../tofu github.com/opentofu/opentofu/cmd/tofu
) 2> build.log || { tail -5 build.log; exit 1; }

# An http backend that is out of order until the file "mended" is there.
cat > backend.py <<'PY'
import http.server, os
class Backend(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.answer(200 if os.path.exists('state') else 404, open('state', 'rb').read() if os.path.exists('state') else b'')
    def do_POST(self):
        body = self.rfile.read(int(self.headers['content-length']))
        if not os.path.exists('mended'): return self.answer(409, b'')
        open('state', 'wb').write(body)
        self.answer(200, b'')
    def answer(self, code, body):
        self.send_response(code); self.send_header('content-length', str(len(body))); self.end_headers(); self.wfile.write(body)
    def log_message(self, *_): pass
with http.server.HTTPServer(('127.0.0.1', 0), Backend) as server:
    print(server.server_port, flush=True)
    server.serve_forever()
PY
ENCRYPTION='encryption {
  key_provider "pbkdf2" "k" { passphrase = "correct-horse-battery" }
  method "aes_gcm" "m" { keys = key_provider.pbkdf2.k }
  state { method = method.aes_gcm.m }
}'
export TF_HTTP_RETRY_MAX=0 TF_IN_AUTOMATION=1 TF_CLI_CONFIG_FILE=/dev/null

# What "state push" of the left state says in a directory with this code.
attempt() {
  mkdir "$1" && cd "$1"
  python3 ../backend.py > port & server=$!
  until [ -s port ]; do sleep 0.1; done
  cat > main.tf <<HCL
terraform {
  backend "http" { address = "http://127.0.0.1:$(cat port)/" }
  ${2:-}
}
resource "terraform_data" "made" { input = "x" }
HCL
  ../tofu init -no-color > init.log
  ! ../tofu apply -no-color -auto-approve > apply.log 2>&1
  grep -q 'tofu state push errored.tfstate' apply.log
  touch mended
  code=0
  ../tofu state push -no-color errored.tfstate > push.log 2>&1 || code=$?
  echo "$1: state push of errored.tfstate ends with $code"; cat push.log
  kill "$server"; wait "$server" 2>/dev/null || true; server=
  cd ..
}
./tofu version | sed -n 1p
attempt plain
[ "$code" = 0 ] && grep -q terraform_data plain/state
attempt encrypted "$ENCRYPTION"
[ "$code" = 1 ] && grep -q encrypted_data encrypted/errored.tfstate && [ ! -e encrypted/state ]
tr -s '\n│ ' ' ' < encrypted/push.log | grep -q 'is encrypted and can not be read without an encryption configuration'
echo 'as found: the advice of the error cannot be followed where the state is encrypted'
