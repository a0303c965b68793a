import HTTPTypes

/// The headers that let a page of an allowed origin read what it asked for. No other origin gets any.
enum CORS {
    static func append(to fields: inout HTTPFields, origin: String) {
        fields.append(HTTPField(name: .accessControlAllowOrigin, value: origin))
        fields.append(Self.credentials)
        fields.append(Self.methods)
        fields.append(Self.headers)
        fields.append(Self.exposed)
        fields.append(Self.vary)
    }

    private static let credentials = HTTPField(name: .accessControlAllowCredentials, value: "false")
    private static let methods = HTTPField(name: .accessControlAllowMethods, value: "GET,POST,DELETE,OPTIONS")
    private static let headers = HTTPField(
        name: .accessControlAllowHeaders,
        value: "Authorization,Content-Type,Accept,MCP-Protocol-Version,MCP-Session-Id,Last-Event-ID,Mcp-Method,Mcp-Name"
    )
    private static let exposed = HTTPField(name: .accessControlExposeHeaders, value: "MCP-Session-Id")
    private static let vary = HTTPField(name: .vary, value: "Origin")
}
