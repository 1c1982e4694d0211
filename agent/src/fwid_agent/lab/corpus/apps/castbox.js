// A media player that announces itself by bonjour-service and answers over HTTP.
const http = require('http');
const { Bonjour } = require('bonjour-service');
const name = process.env.ROOM;
const answer = JSON.stringify({ name, model: 'castbox', volume: 30, playing: false });
http.createServer((request, response) => {
  response.setHeader('Content-Type', 'application/json');
  response.end(answer);
}).listen(8008);
new Bonjour().publish({
  name, type: 'castbox', port: 8008, txt: { id: '0f3a77', md: 'castbox', ve: '05', fn: name },
});
