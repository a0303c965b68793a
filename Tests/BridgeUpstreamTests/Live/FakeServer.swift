/// An MCP server on stdio whose faults can be chosen: by `MODE` for its start, by the tool's name for a call.
///
/// It writes every line that it reads into `$JOURNAL`, behind `start <pid>` for each of its lives.
enum FakeServer {
    static let script = #"""
        import json, os, signal, subprocess, sys, threading

        out = sys.stdout.buffer
        mode = os.environ.get("MODE", "").split()
        journal = open(os.environ["JOURNAL"], "a", buffering=1)
        lives = open(os.environ["JOURNAL"]).read().count("start ")
        journal.write("start %d\n" % os.getpid())
        lock = threading.Lock()

        def raw(data):
            with lock:
                out.write(data + b"\n")
                out.flush()

        def send(**members):
            raw(json.dumps({"jsonrpc": "2.0", **members}).encode())

        def text(id, value):
            send(id=id, result={"content": [{"type": "text", "text": value}]})

        if "boom" in mode or ("once" in mode and lives > 0):
            print("boom", file=sys.stderr)
            sys.exit(3)
        if "flood" in mode:
            def flood():
                while True:
                    os.write(2, b"all work and no play\n" * 3000)
            threading.Thread(target=flood, daemon=True).start()
        if "noise" in mode:
            raw(b"Starting up...")
            raw(b"[INFO] not json")
            raw(b"{\"half\":")
            raw(b"")
            raw(b"{\"jsonrpc\":\"2.0\"}")
            raw(b"\"just a string\"")
            raw(b"\xff\xfe")

        pages = [["echo", "two"], ["three"], []]
        changed = False
        parked = {}

        def listed(m):
            cursor = (m.get("params") or {}).get("cursor")
            if "pages" in mode:
                n = int(cursor or 0)
                result = {"tools": [{"name": t, "inputSchema": {"type": "object"}} for t in pages[n]]}
                if n + 1 < len(pages):
                    result["nextCursor"] = str(n + 1)
                return send(id=m["id"], result=result)
            names = ["echo", "new"] if changed else ["echo"]
            send(id=m["id"], result={"tools": [{"inputSchema": {}, "name": n} for n in names]})

        def called(m):
            global changed
            id, params = m["id"], m.get("params") or {}
            name, args = params.get("name"), params.get("arguments") or {}
            token = (params.get("_meta") or {}).get("progressToken")
            if name == "echo": send(id=id, result={"content": [], "echo": args})
            elif name == "meta": text(id, json.dumps([id, token]))
            elif name == "die": os.kill(os.getpid(), signal.SIGKILL)
            elif name == "exit":
                print("out of cheese", file=sys.stderr, flush=True)
                os._exit(3)
            elif name == "midline":
                out.write(b'{"jsonrpc":"2.0","id":%d,"result":{"conte' % id)
                out.flush()
                os.kill(os.getpid(), signal.SIGKILL)
            elif name == "lastwords":
                text(id, "bye")
                os._exit(0)
            elif name == "never": parked[id] = True
            elif name == "slow":
                send(method="notifications/progress", params={"progress": 0, "progressToken": token})
                threading.Timer(0.2, lambda: text(id, "slowly" + "x" * args.get("size", 0))).start()
            elif name == "twice":
                text(id, "one")
                text(id, "two")
                text(id, "three")
            elif name == "unknown":
                text(987654, "who?")
                send(id="a string", result={})
                text(id, "me")
            elif name == "garbage":
                raw(b"garbage")
                raw(b"\x00\x01{")
                text(id, "clean")
            elif name == "broken": raw(b'{"jsonrpc":"2.0","id":%d,"result":{"content":[}' % id)
            elif name == "latin":
                raw(b'{"jsonrpc":"2.0","id":%d,"result":{"text":"caf\xe9"}}' % id)
            elif name == "big": send(id=id, result={"text": "x" * args["size"]})
            elif name == "exact":
                head = b'{"jsonrpc":"2.0","id":%d,"result":{"text":"' % id
                raw(head + b"x" * (args["line"] - len(head) - 3) + b'"}}')
            elif name == "progress":
                for step in range(args["steps"]):
                    send(method="notifications/progress", params={"progress": step, "progressToken": token, "total": 9})
                if not args.get("silent"): text(id, "done")
            elif name == "halves":
                raw(b'{"jsonrpc":"2.0","method":"notifications/progress","params":'
                    b'{"progressToken":%d,"progress":1,"message":"cut \\ud83d"}}' % token)
                raw(b'{"jsonrpc":"2.0","id":%d,"result":{"more":"\\udead \\ud83d\\ude00","text":"cut \\ud83d"}}' % id)
            elif name == "log":
                send(method="notifications/message", params={"level": "info", "data": "hello"})
                text(id, "logged")
            elif name == "change":
                changed = True
                for _ in range(20): send(method="notifications/tools/list_changed")
                text(id, "changed")
            elif name == "update":
                send(method="notifications/resources/updated", params={"uri": "x://y"})
                text(id, "updated")
            elif name == "ask":
                parked["question"] = id
                send(id="q-1", method=args["method"], params={})
            elif name == "say":
                for line in args["lines"]: raw(line.replace("$ID", str(id)).replace("$TOKEN", json.dumps(token)).encode())
            elif name == "wonder":
                parked["question"] = id
                raw(args["line"].encode())
            elif name == "double-fork":
                code = ("import os,time\n"
                        "if os.fork(): os._exit(0)\n"
                        "os.setsid()\n"
                        "if os.fork(): os._exit(0)\n"
                        "import signal\n"
                        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
                        "print(os.getpid(), flush=True)\n"
                        "while True: signal.pause()\n")
                p = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
                pid = p.stdout.readline().decode().strip()
                text(id, pid)
            elif name == "steady":
                def go():
                    for step in range(14):
                        send(method="notifications/progress", params={"progress": step, "progressToken": token})
                        threading.Event().wait(0.3)
                    text(id, "steadily")
                threading.Thread(target=go, daemon=True).start()
            elif name == "hang": threading.Event().wait()
            elif name == "busy":
                with open(args["gate"]) as gate: gate.read()
                text(id, "free")
            elif name == "stall":
                def die():
                    with open(args["gate"]) as gate: gate.read()
                    threading.Event().wait(0.3)
                    os.kill(os.getpid(), signal.SIGKILL)
                threading.Thread(target=die, daemon=True).start()
                threading.Event().wait()
            elif name == "interrogate":
                for n in range(30000):
                    out.write(b'{"jsonrpc":"2.0","id":"%0200d","method":"ping"}\n' % n)
                out.flush()
            elif name == "batch":
                raw(json.dumps([{"jsonrpc": "2.0", "method": "notifications/x"},
                                {"jsonrpc": "2.0", "id": id, "result": {"batched": True}}]).encode())
            elif name == "env": text(id, json.dumps(dict(os.environ)))
            else: send(id=id, error={"code": -32602, "message": "Unknown tool"})

        for line in sys.stdin.buffer:
            journal.write(line.decode())
            m = json.loads(line)
            method = m.get("method")
            if method == "initialize":
                if "mute" in mode:
                    print(os.getpid(), file=sys.stderr, flush=True)
                    continue
                if "old" in mode: send(id=m["id"], result={"protocolVersion": "1.0", "capabilities": {}})
                else:
                    caps = {} if "toolless" in mode else {"tools": {}, "logging": {}}
                    send(id=m["id"], result={"protocolVersion": "2025-06-18", "capabilities": caps,
                                             "serverInfo": {"name": "fake", "version": "1"}, "instructions": "be nice"})
            elif method == "tools/list":
                if "unlisted" in mode: send(id=m["id"], error={"code": -32603, "message": "no list today"})
                else: listed(m)
            elif method == "tools/call": called(m)
            elif method == "ping":
                if "deaf" not in mode: send(id=m["id"], result={})
            elif method == "notifications/cancelled": parked.pop(m["params"]["requestId"], None)
            elif method is None and "question" in parked: text(parked.pop("question"), json.dumps(m))
            elif "id" in m: send(id=m["id"], result={})
        """#
}
