/// The `state` of a sign-in: random text that nobody else knows, and behind it whose sign-in it is. So what a redirect brings
/// finds its upstream's worker without a table, whatever has been started anew meanwhile.
package enum SignInState {
    /// - Parameter random: base64url.
    package static func make(random: String, upstream: String) -> String {
        "\(random).\(Array(upstream.utf8).hexadecimal)"
    }

    /// Which upstream a state belongs to, as far as it says so; only its worker knows whether it is a good one.
    package static func upstream(of state: String) -> String? {
        guard let dot = state.lastIndex(of: ".") else { return nil }
        let digits = Array(state[state.index(after: dot)...].utf8)
        guard !digits.isEmpty, digits.count % 2 == 0 else { return nil }
        var bytes: [UInt8] = []
        for at in stride(from: 0, to: digits.count, by: 2) {
            guard let byte = PercentCoding.byte(digits[at], digits[at + 1]) else { return nil }
            bytes.append(byte)
        }
        return String(validating: bytes, as: UTF8.self)
    }

    /// The same, of what a redirect brought: a query, or a whole URL.
    package static func upstream(ofRedirect text: String) -> String? {
        FormFields(redirect: text)["state"].flatMap { Self.upstream(of: $0) }
    }
}
