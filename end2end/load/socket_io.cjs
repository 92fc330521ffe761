// A relay of signals as people write it with socket.io: two in a room, and what one says goes to the other.
// `script/bench load` runs it beside the server; it is no part of the product.
const { createServer } = require('node:http');
const { createRequire } = require('node:module');
const { join } = require('node:path');
const { Server } = createRequire(join(process.env.NEIGHBOURS, 'package.json'))('socket.io');

const http = createServer();
const server = new Server(http, { transports: ['websocket'], perMessageDeflate: false, serveClient: false });

server.on('connection', (socket) => {
  let room;
  socket.on('enter', (name) => {
    room = name;
    socket.join(room);
    socket.emit('entered');
  });
  socket.on('signal', (message) => socket.to(room).emit('signal', message));
});

http.listen(Number(process.env.PORT), '127.0.0.1');
