/// Requests as text.
enum HTTPText {
    static func post(_ body: String, _ fields: [String] = [], path: String = "/mcp") -> String {
        let head = [
            "POST \(path) HTTP/1.1", "Host: localhost", "Accept: application/json, text/event-stream",
            "Content-Type: application/json", "Content-Length: \(body.utf8.count)",
        ]
        return (head + fields).joined(separator: "\r\n") + "\r\n\r\n" + body
    }

    static func request(_ line: String, _ fields: [String] = [], body: String = "") -> String {
        (["\(line) HTTP/1.1", "Host: localhost"] + fields).joined(separator: "\r\n") + "\r\n\r\n" + body
    }

    static func call(_ id: Int, _ method: String = "tools/call") -> String {
        #"{"jsonrpc":"2.0","id":\#(id),"method":"\#(method)"}"#
    }
}
