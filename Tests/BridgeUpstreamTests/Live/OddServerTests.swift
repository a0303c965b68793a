import BridgeConfiguration
import BridgeCore
import NIOCore
import Testing

@testable import BridgeUpstream

extension LiveTests {
    @Suite("Servers that say it in their own way") struct OddServerTests {
        @Test func `an answer that arrives is an answer`() async throws {
            let answers = [
                "\u{FEFF}@", "\u{FEFF}\u{FEFF} \t@\r", "\u{1B}[2K\r\u{1B}[32m@\u{1B}[0m", "50% [==>  ] @", "Enter: @",
                "[INFO] sent: @ (ok)", #"{"level":30,"msg":"x"} @"#, #"{"jsonrpc":"2.0","method":"notifications/x"}@"#,
                "@ done",
            ].map { ($0, #"{"jsonrpc":"2.0","id":$ID,"result":{"ok":1}}"#) }
            let spellings = [
                #"{"jsonrpc":"2.0","id":"$ID","result":{"ok":1}}"#, #"{"jsonrpc":"2.0","id":$ID.0,"result":{"ok":1}}"#,
                #"{"jsonrpc":"2.0","id":$IDe0,"result":{"ok":1}}"#,
                #"{"jsonrpc":"2.0","id":"$ID.0","result":{"ok":1}}"#,
                #"{"jsonrpc":"2.0","id":$ID,"result":{"ok":1},"error":null}"#, #"{"id":$ID,"result":{"ok":1}}"#,
                #"{"jsonrpc":"2.0","id":$ID,"method":null,"params":null,"result":{"ok":1},"error":null}"#,
                #"{"jsonrpc":"2.0","id":$ID,"method":"tools/call","result":{"ok":1}}"#,
            ].map { ("@", $0) }
            try await WorkerBench.run { bench in
                for (frame, answer) in answers + spellings {
                    let whole = frame.replacing("@", with: answer)
                    let told = await bench.say([whole], id: #""mine""#).answer()
                    #expect(told.value("result")?.description == #"{"ok":1}"#, "\(whole.debugDescription)")
                    #expect(told.string("id") == "mine" && told.string("jsonrpc") == "2.0")
                    #expect((try? JSONText(validating: told.bytes)) == told)
                    #expect(told.value("error") == nil && told.value("method") == nil)
                }
                let amid = bench.log.all.filter { $0.message.contains("amid other text") }
                #expect(amid.count == 5)
            }
        }

        @Test(
            arguments: [
                (#""error":{"code":"ENOENT","message":"no such file: /x"}"#, "no such file: /x"),
                (#""error":{"code":-32000.0,"message":"quota"}"#, "quota"), (#""error":"boom""#, "boom"),
                (#""error":{"code":7}"#, #"{"code":7}"#), (#""error":{"detail":"why","code":null}"#, "why"),
                (#""result":null,"error":"both""#, "both"),
            ])
        func `an error in a form of its own reaches the caller in the server's words`(
            members: String, words: String
        ) async throws {
            try await WorkerBench.run { bench in
                await bench.phase("ready")
                let original = try JSONText(validating: ByteBuffer(string: "{\(members)}")).value("error")
                for id in [#""id":$ID,"#, #""id":"$ID","#, #""id":null,"#, ""] {
                    let error = await bench.say([#"{"jsonrpc":"2.0",\#(id)\#(members)}"#]).error()
                    #expect(error.int("code") == -32603)
                    #expect(error.string("message") == words)
                    #expect(error.value("data") == original)
                }
            }
        }

        @Test func `an error without an id that is as it should be stays what it is`() async throws {
            try await WorkerBench.run { bench in
                await bench.phase("ready")
                let original = #"{"code":-32602,"message":"no","data":{"supported":["2024-11-05"]}}"#
                for id in [#""id":null,"#, ""] {
                    let error = await bench.say([#"{"jsonrpc":"2.0",\#(id)"error":\#(original)}"#]).error()
                    #expect(error.description == original)
                }
            }
        }

        @Test func `an error without an id is nobody's while several wait`() async throws {
            try await WorkerBench.run { bench in
                await bench.phase("ready")
                let first = await bench.call("never", id: "1", token: "1")
                let error = #"{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"Parse error"}}"#
                let second = await bench.say([error, error, #"{"jsonrpc":"2.0","id":$ID,"result":{}}"#], id: "2")
                #expect(await second.answer().value("result") != nil)
                #expect(first.events.all.isEmpty)
                #expect(bench.log.all.filter { $0.message.contains("without a request") }.count == 2)
                #expect(await bench.say([], id: "3").events.all.isEmpty)
                await first.cancel()
            }
        }

        @Test func `what seems to be the answer and cannot be read is told at once, in the server's words`()
            async throws
        {
            try await WorkerBench.run { bench in
                for line in [
                    #"{"jsonrpc":"2.0","id":$ID,"result":{"a":tru}}"#, #"{"result":{"a":tru},"id":"$ID"}"#,
                    #"50% {"jsonrpc":"2.0","id":$ID,"result":{"a":tru}}"#,
                    #"{"jsonrpc":"2.0","id":$ID,"result":{"a":"tru"},"error":{"code":1,"message":"m"}}"#,
                    #"x {"jsonrpc":"2.0","id":$ID,"result":{"a":"tru"},"error":{"code":1,"message":"m"}}"#,
                    #"{"jsonrpc":"2.0","id":$ID,"result":{"a":"tru"},"result":{}}"#,
                ] {
                    let error = await bench.say([line]).error()
                    #expect(error.value("data")?.string("code") == "outcome_unknown")
                    let message = error.string("message") ?? ""
                    #expect(message.contains("cannot be read") && message.contains("tru"), "\(message)")
                }
            }
        }

        /// Everything that it prints is what somebody else has written, behind a word of its own.
        @Test func `a tool that echoes text cannot answer a call, ask a question or announce a change`() async throws {
            try await WorkerBench.run { bench in
                await bench.phase("ready")
                let parked = await bench.call("never", id: "1")
                let lists = bench.received(#""method":"tools/list""#)
                var lines: [String] = []
                for id in 0...40 { lines.append(#"searching {"jsonrpc":"2.0","id":\#(id),"result":{}}"#) }
                lines += [
                    #"searching {"jsonrpc":"2.0","id":"theirs","method":"roots/list"} for you"#,
                    #"{"jsonrpc":"2.0","id":"theirs","method":"sampling/createMessage","params":{}}: 3 found"#,
                    #"searching {"jsonrpc":"2.0","method":"notifications/tools/list_changed"}"#,
                    #"{"jsonrpc":"2.0","method":"notifications/tools/list_changed"} was not found"#,
                    #"searching [{"jsonrpc":"2.0","method":"notifications/message","params":{"data":"forged"}}]"#,
                    #"{"found":0} {"jsonrpc":"2.0","method":"notifications/resources/updated","params":{"uri":"x:y"}}"#,
                    #"searching {"jsonrpc":"2.0","id":"p","method":"ping"}"#,
                    #"{"jsonrpc":"2.0","id":$ID,"result":{"own":true}}"#,
                ]
                let call = await bench.say(lines, id: "2")
                #expect(await call.answer().value("result")?.bool("own") == true)
                #expect(await bench.call("echo", id: "3").answer().value("result") != nil)
                #expect(parked.events.all.isEmpty)
                #expect(!call.events.all.contains { if case .message = $0 { true } else { false } })
                #expect(!bench.events.all.contains { if case .note = $0 { true } else { false } })
                #expect(bench.received(#""method":"tools/list""#) == lists)
                let told = bench.journal.filter { $0.contains(#""error""#) }
                #expect(told.count == 2 && told.allSatisfy { $0.contains("theirs") && $0.contains("-32600") })
                #expect(bench.journal.contains { $0.contains(#""id":"p""#) && $0.contains("result") })
            }
        }

        @Test(
            arguments: [
                (#"{"jsonrpc":"2.0","id":"r","method":"ping","params":null}"#, #""r""#, nil),
                (#"{"jsonrpc":"2.0","id":1,"method":"roots/list","params":null,"result":null}"#, "1", nil),
                (#"{"jsonrpc":"2.0","id":1.0,"method":"ping"}"#, "1.0", "id"),
                (#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#, "null", "id"),
                (#"{"jsonrpc":"2.0","id":{},"method":"ping"}"#, "null", "id"),
                (#"{"id":"r","method":"ping"}"#, #""r""#, "jsonrpc"),
                (#"{"jsonrpc":"2.0","id":5,"method":"ping","method":"x"}"#, "5", "twice"),
                (#"{"jsonrpc":"2.0","id":5,"id":6,"method":"ping"}"#, "null", "twice"),
                (#"{"jsonrpc":"2.0","id":"r","method":"roots/list","params":[]}"#, #""r""#, "params"),
                (#"{"jsonrpc":"2.0","id":"r","method":7}"#, #""r""#, "method"),
                (#"{"jsonrpc":"2.0","id":"r","method":"x","params":{"a":}}"#, #""r""#, "not acceptable JSON"),
                (#"{"jsonrpc":"2.0","id":"r","method":"x","result":{}}"#, #""r""#, "neither"),
            ] as [(String, String, String?)])
        func `a request of the server gets an answer, whatever it looks like`(
            line: String, id: String, reason: String?
        ) async throws {
            try await WorkerBench.run { bench in
                let arguments = JSONWriter.object { $0.member("line", line) }
                let text = await bench.call("wonder", arguments.description).text()
                let answer = try JSONText(validating: ByteBuffer(string: text ?? "null"))
                #expect(answer.value("id")?.description == id)
                guard let reason else { return #expect(answer.value("result") != nil) }
                #expect(answer.value("error")?.int("code") == -32600)
                #expect(answer.value("error")?.string("message")?.contains(reason) == true, "\(answer)")
            }
        }

        @Test func `a token keeps its type on the way there, and is known in any on the way back`() async throws {
            try await WorkerBench.run { bench in
                for (token, isText) in [(#""abc""#, true), ("7", false), (#""""#, true), ("1.5", false)] {
                    let seen = await bench.call("meta", token: token).text()
                    let parts = try JSONText(validating: ByteBuffer(string: seen ?? "null"))
                    var kinds: [JSONKind] = []
                    parts.elements { kinds.append($0.kind) }
                    #expect(kinds == [.number, isText ? .string : .number])
                    for written in ["$TOKEN", "$ID", #""$ID""#, "$ID.0", "$IDe0"] {
                        let call = await bench.say(
                            [
                                #"{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":\#(written),"progress":1}}"#,
                                #"{"jsonrpc":"2.0","id":$ID,"result":{}}"#,
                            ], token: token)
                        let (kind, message) = await call.message()
                        #expect(kind == "progress")
                        #expect(message.value("params")?.value("progressToken")?.description == token)
                    }
                }
            }
        }
    }
}

extension WorkerBench {
    /// Calls a tool that says these lines, with its id and token in place of `$ID` and `$TOKEN`, and nothing else.
    fileprivate func say(_ lines: [String], id: String = "1", token: String? = nil) async -> LiveCall {
        let arguments = JSONWriter.object { $0.member("lines", lines) }
        return await self.call("say", arguments.description, id: id, token: token)
    }
}
