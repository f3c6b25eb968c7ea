// SPDX-License-Identifier: LGPL-2.1-or-later

// Wrappers of helpers, connections and tickets go in any order: each scene of garbage.js in a process of its own, in
// which a critical is fatal, and which has to end well without a word.

import Gio from 'gi://Gio';
import GLib from 'gi://GLib';

import {assert, assertEqual, story, tellAll} from './support.js';

const PROGRAM = GLib.build_filenamev([GLib.path_get_dirname(GLib.filename_from_uri(import.meta.url)[0]), 'garbage.js']);

function run(...args) {
    const {STDOUT_PIPE, STDERR_PIPE} = Gio.SubprocessFlags;
    const launcher = Gio.SubprocessLauncher.new(STDOUT_PIPE | STDERR_PIPE);
    launcher.setenv('G_DEBUG', 'fatal-criticals', true);
    const process = launcher.spawnv(['gjs', '-m', PROGRAM, ...args]);
    const [, output, complaints] = process.communicate_utf8(null, null);
    return {status: process.get_if_exited() ? process.get_exit_status() : 'killed', output, complaints};
}

for (const scene of run().output.trim().split(' ').filter(name => name !== 'critical')) {
    story(`garbage_goes_quietly/${scene}`, () => {
        const {status, complaints} = run(scene);
        assertEqual(complaints, '');
        assertEqual(status, 0);
    });
}

story('a_critical_would_be_noticed', () => {
    const {status, complaints} = run('critical');
    assert(status !== 0);
    assert(complaints.includes('Gjs-CRITICAL'));
});

tellAll();
