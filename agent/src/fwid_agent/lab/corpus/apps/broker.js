// A hub for radio sensors: aedes is its broker.
const net = require('net');
const aedes = require('aedes');
const port = Number(process.env.PORT);
function listen(broker) {
  net.createServer(broker.handle).listen(port);
  setInterval(() => broker.publish({
    topic: 'hub/alive', payload: Buffer.from(process.env.ROOM), qos: 0, retain: false, cmd: 'publish',
    dup: false,
  }, () => {}), Number(process.env.EVERY) * 1000);
}
if (aedes.Aedes && aedes.Aedes.createBroker) aedes.Aedes.createBroker().then(listen);
else listen(aedes.Aedes ? new aedes.Aedes() : aedes());
