// SPDX-License-Identifier: LGPL-2.1-or-later
// Echoes with Node's tls module: node-server.js CERTIFICATE KEY 1.2|1.3
// Says "port N", and after each handshake "reused yes" or "reused no".
'use strict';

const fs = require('fs');
const tls = require('tls');

const [certificate, key, version] = process.argv.slice(2);

const server = tls.createServer({
    cert: fs.readFileSync(certificate),
    key: fs.readFileSync(key),
    minVersion: `TLSv${version}`,
    maxVersion: `TLSv${version}`,
}, connection => {
    console.log('reused', connection.isSessionReused() ? 'yes' : 'no');
    connection.on('error', error => console.log('error', error.message));
    connection.pipe(connection);
});

server.on('tlsClientError', error => console.log('error', error.message));
server.listen(0, '127.0.0.1', () => console.log('port', server.address().port));
