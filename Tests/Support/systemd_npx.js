// Behaves as `npx -y some-server` does: fills the package cache below HOME and XDG_CACHE_HOME, then runs the server as
// its grandchild, through a shell, and waits for it.
'use strict';
const { spawn } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

function fillCache() {
  const home = process.env.HOME || os.homedir();
  const caches = [path.join(home, '.npm', '_npx', 'a1b2c3'), path.join(process.env.XDG_CACHE_HOME || path.join(home, '.cache'), 'node')];
  for (const folder of caches) {
    fs.mkdirSync(folder, { recursive: true });
    fs.writeFileSync(path.join(folder, 'package.json'), JSON.stringify({ pid: process.pid }));
  }
}

function serve() {
  const tool = {
    name: 'where',
    description: 'Says which process answers, and whose child it is.',
    inputSchema: { type: 'object', properties: {} },
  };
  const answers = {
    initialize: (params) => ({
      protocolVersion: params.protocolVersion,
      capabilities: { tools: {} },
      serverInfo: { name: 'packaged', version: '1' },
    }),
    'tools/list': () => ({ tools: [tool] }),
    'tools/call': () => ({ content: [{ type: 'text', text: JSON.stringify({ pid: process.pid, parent: process.ppid }) }] }),
    ping: () => ({}),
  };
  require('node:readline').createInterface({ input: process.stdin }).on('line', (line) => {
    const message = JSON.parse(line);
    if (message.id === undefined || message.method === undefined) return;
    const answer = answers[message.method];
    const outcome = answer ? { result: answer(message.params || {}) } : { error: { code: -32601, message: 'Method not found' } };
    process.stdout.write(JSON.stringify({ jsonrpc: '2.0', id: message.id, ...outcome }) + '\n');
  });
}

if (process.argv[2] === 'serve') {
  serve();
} else {
  fillCache();
  // The trailing command keeps the shell from replacing itself with the server.
  const shell = spawn('sh', ['-c', `"${process.execPath}" "${__filename}" serve; exit $?`], { stdio: 'inherit' });
  shell.on('exit', (code, signal) => process.exit(signal ? 1 : code));
}
