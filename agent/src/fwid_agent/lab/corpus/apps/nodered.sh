# A hub: Node-RED with one flow.
mkdir -p /tmp/red
sh /fwid/flow.json.sh >/tmp/red/flows.json
exec node /opt/node/node_modules/node-red/red.js --userDir /tmp/red --port 1880 flows.json
