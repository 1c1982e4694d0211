// A strip of lamps that is found by node-ssdp and switched over HTTP.
const http = require('http');
const os = require('os');
const { Server } = require('node-ssdp');
const card = os.networkInterfaces().eth0.find((one) => one.family === 'IPv4' || one.family === 4);
const place = `http://${card.address}:8080/description.xml`;
const description = `<?xml version="1.0"?><root xmlns="urn:schemas-upnp-org:device-1-0"><device>
<deviceType>urn:schemas-upnp-org:device:DimmableLight:1</deviceType>
<friendlyName>${process.env.ROOM}</friendlyName><modelName>strip</modelName>
<UDN>uuid:0f3a7700-5e00-5314</UDN></device></root>`;
http.createServer((request, response) => {
  if (request.url === '/description.xml') response.end(description);
  else response.end(JSON.stringify({ on: request.url === '/on' }));
}).listen(8080);
const server = new Server({
  location: place, udn: 'uuid:0f3a7700-5e00-5314', adInterval: Number(process.env.EVERY) * 1000,
});
server.addUSN('upnp:rootdevice');
server.addUSN('urn:schemas-upnp-org:device:DimmableLight:1');
server.start();
