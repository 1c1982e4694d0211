// A bulb: node-coap answers, and tells observers what it shines like.
const coap = require('coap');
let level = 40;
const watching = new Set();
const state = () => JSON.stringify({ on: level > 0, level, room: process.env.ROOM });
coap.createServer((request, response) => {
  if (request.method === 'PUT') {
    level = Number(request.payload.toString()) || 0;
    response.code = '2.04';
    response.end(state());
    watching.forEach((one) => one.write(state()));
    return;
  }
  if (request.headers.Observe === 0 || request.headers.Observe === '0') {
    watching.add(response);
    response.on('finish', () => watching.delete(response));
    response.write(state());
    return;
  }
  response.end(state());
}).listen();
setInterval(() => watching.forEach((one) => one.write(state())), Number(process.env.EVERY) * 1000);
