# The key comes by stdin: other users can see arguments.
curl -sS '@URL@' \
  -H @- -H 'Content-Type: application/json' -H 'Accept: application/json, text/event-stream' \
  -d '{"jsonrpc":"2.0","id":1,"method":"tools/list"}' <<EOF
@HEADER@
EOF
