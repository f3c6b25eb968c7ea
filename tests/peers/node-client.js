// SPDX-License-Identifier: LGPL-2.1-or-later
// Two connections with Node's tls module: node-client.js PORT ROOT 1.2|1.3 REQUEST ANSWER ANSWER
// REQUEST is a file, the answers go to files. Says "reused no" or "reused yes" for each.
'use strict';

const fs = require('fs');
const tls = require('tls');

const [port, root, version, request, ...answers] = process.argv.slice(2);

// The newest session that came during the connection.
function exchange(answer, session) {
    return new Promise((resolve, reject) => {
        let newest = session;
        const parts = [];
        const connection = tls.connect({
            host: '127.0.0.1',
            port,
            servername: 'localhost',
            ca: fs.readFileSync(root),
            minVersion: `TLSv${version}`,
            maxVersion: `TLSv${version}`,
            session,
        }, () => {
            console.log('reused', connection.isSessionReused() ? 'yes' : 'no');
            connection.write(fs.readFileSync(request));
        });
        connection.setTimeout(10000, () => connection.destroy(new Error('it took too long')));
        connection.on('session', arrived => (newest = arrived));
        connection.on('data', data => parts.push(data));
        connection.on('error', reject);
        connection.on('end', () => {
            fs.writeFileSync(answer, Buffer.concat(parts));
            resolve(newest);
        });
    });
}

async function main() {
    let session;
    for (const answer of answers)
        session = await exchange(answer, session);
}

main().catch(error => {
    console.error(error);
    process.exit(1);
});
