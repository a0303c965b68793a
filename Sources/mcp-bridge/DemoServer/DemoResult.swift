import BridgeCore
import BridgeMCP
import NIOCore

/// What calls end in, and what they say on the way.
enum DemoResult {
    static func text(_ text: String) -> JSONText {
        JSONWriter.object { result in
            self.content(text, in: &result)
        }
    }

    static func content(_ kinds: [DemoContent]) -> JSONText {
        JSONWriter.object { result in
            result.memberArray("content") { content in
                for kind in kinds { content.object { kind.write(to: &$0) } }
            }
        }
    }

    /// A failure that the model is to see.
    static func error(_ text: String) -> JSONText {
        JSONWriter.object { result in
            self.content(text, in: &result)
            result.member("isError", true)
        }
    }

    /// Structured, and the same as text for those who read only that, since structured results exist.
    static func sum(_ sum: DemoSum, for revision: ProtocolRevision) -> JSONText {
        guard revision >= .v2025_06_18 else { return self.text(sum.text.description) }
        let structured = JSONWriter.object { $0.member("sum", sum.text) }
        return JSONWriter.object { result in
            self.content(structured.description, in: &result)
            result.member("structuredContent", structured)
        }
    }

    static func progress(_ token: JSONText, step: Int, of steps: Int, for revision: ProtocolRevision) -> ByteBuffer {
        self.notification("notifications/progress") { params in
            params.member("progressToken", token)
            params.member("progress", step)
            params.member("total", steps)
            if revision >= .v2025_03_26 { params.member("message", "Step \(step) of \(steps)") }
        }
    }

    static func logMessage(level: LogSeverity, _ message: String) -> ByteBuffer {
        self.notification("notifications/message") { params in
            params.member("level", level.rawValue)
            params.member("logger", "demo")
            params.member("data", message)
        }
    }

    private static func content(_ text: String, in result: inout JSONWriter) {
        result.memberArray("content") { content in
            content.object { block in
                block.member("type", "text")
                block.member("text", text)
            }
        }
    }

    private static func notification(_ method: String, _ params: (inout JSONWriter) -> Void) -> ByteBuffer {
        let message = JSONWriter.object { message in
            message.member("jsonrpc", "2.0")
            message.member("method", method)
            message.memberObject("params", params)
        }
        return message.bytes
    }
}
