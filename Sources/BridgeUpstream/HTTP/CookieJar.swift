import NIOHTTP1

/// The cookies of one session: some balancers find a session's replica by them. Pure.
///
/// Names and values only. A jar belongs to one address and one session, and is gone with it.
struct CookieJar {
    static let most = 16
    static let mostOctets = 4_096

    private var cookies: [(name: String, value: String)] = []

    /// Takes what a response sets.
    mutating func take(_ headers: HTTPHeaders) {
        for line in headers["Set-Cookie"] { self.take(line) }
    }

    private mutating func take(_ line: String) {
        let parts = line.split(separator: ";", omittingEmptySubsequences: false)
        guard let pair = parts.first, let equals = pair.firstIndex(of: "=") else { return }
        let name = String(pair[..<equals]).trimmingBlanks
        let value = String(pair[pair.index(after: equals)...]).trimmingBlanks
        guard !name.isEmpty, (name + value).utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else { return }
        self.cookies.removeAll { $0.name == name }
        let isOver = parts.dropFirst().contains { part in
            let attribute = String(part).trimmingBlanks.lowercased()
            return attribute.hasPrefix("max-age=0") || attribute.hasPrefix("max-age=-")
        }
        guard !isOver, self.cookies.count < Self.most,
            self.octets + name.utf8.count + value.utf8.count <= Self.mostOctets
        else { return }
        self.cookies.append((name, value))
    }

    private var octets: Int { self.cookies.reduce(0) { $0 + $1.name.utf8.count + $1.value.utf8.count + 3 } }

    /// Adds them to a request, behind those that the configuration gives.
    func add(to headers: inout HTTPHeaders) {
        guard !self.cookies.isEmpty else { return }
        let own = headers["Cookie"]
        headers.replaceOrAdd(
            name: "Cookie", value: (own + self.cookies.map { "\($0.name)=\($0.value)" }).joined(separator: "; "))
    }
}
