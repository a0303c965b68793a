import NIOHTTP1

/// The headers that let a page of an allowed origin read what it asked for. No other origin gets any.
enum CORS {
    static func append(to headers: inout HTTPHeaders, origin: String) {
        headers.add(name: "Access-Control-Allow-Origin", value: origin)
        for (name, value) in Self.fixed { headers.add(name: name, value: value) }
    }

    private static let fixed = [
        ("Access-Control-Allow-Credentials", "false"),
        ("Access-Control-Allow-Methods", "GET,POST,DELETE,OPTIONS"),
        (
            "Access-Control-Allow-Headers",
            "Authorization,X-API-Key,Content-Type,Accept,MCP-Protocol-Version,MCP-Session-Id,Last-Event-ID,Mcp-Method,Mcp-Name"
        ),
        (
            "Access-Control-Expose-Headers",
            "MCP-Session-Id,WWW-Authenticate,Retry-After,X-MCP-Token-Expires,X-RateLimit-Limit,X-RateLimit-Remaining,"
                + "X-RateLimit-Reset,X-Request-ID,Request-ID,X-Should-Retry,X-MCP-Bridge,X-MCP-Model,X-MCP-Models-Count,"
                + "X-MCP-Session-Ready,X-MCP-Bridge-Ignored,X-MCP-Bridge-Approximated,X-MCP-Stop-Reason"
        ),
        ("Vary", "Origin"),
    ]
}
