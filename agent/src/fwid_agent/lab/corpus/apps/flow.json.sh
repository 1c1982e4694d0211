# Prints the flow of a Node-RED hub: the weather to the broker, and a page that shows the state.
cat <<FLOW
[
{"id":"tab","type":"tab","label":"home"},
{"id":"broker","type":"mqtt-broker","name":"","broker":"$HUB","port":"1883","clientid":"nodered",
 "usetls":false,"protocolVersion":"4","keepalive":"10","cleansession":true},
{"id":"tick","type":"inject","z":"tab","repeat":"$EVERY","once":true,"onceDelay":"1","topic":"",
 "payload":"","payloadType":"date","wires":[["ask"]]},
{"id":"ask","type":"http request","z":"tab","method":"GET","ret":"txt",
 "url":"https://$CLOUD/weather?place=$ROOM","wires":[["tell"]]},
{"id":"tell","type":"mqtt out","z":"tab","topic":"home/weather","qos":"1","retain":"",
 "broker":"broker","wires":[]},
{"id":"hear","type":"mqtt in","z":"tab","topic":"home/#","qos":"1","datatype":"auto",
 "broker":"broker","wires":[[]]},
{"id":"page","type":"http in","z":"tab","url":"/state","method":"get","wires":[["show"]]},
{"id":"show","type":"template","z":"tab","field":"payload","fieldType":"msg","format":"handlebars",
 "syntax":"plain","template":"{\"ok\":true}","output":"str","wires":[["answer"]]},
{"id":"answer","type":"http response","z":"tab","statusCode":"200","wires":[]}
]
FLOW
