import BridgeCore

/// For how long an answer asks to be left in peace: `Retry-After` (RFC 9110, 10.2.3), or `reset_at` in the body.
enum Patience {
    /// In seconds: nobody waits for longer, whatever is said.
    static let most = 3_600

    /// - Parameter now: in seconds since 1970.
    static func seconds(_ reply: WebReply, now: Double) -> Int? {
        if let text = reply.header("Retry-After")?.split(separator: " ").joined(separator: " "), !text.isEmpty {
            if let seconds = Int(text) { return min(max(seconds, 0), Self.most) }
            if let date = Self.date(text) { return Self.limited(Double(date) - now) }
        }
        guard let body = try? JSONText(validating: reply.body), let reset = body.value("reset_at") else { return nil }
        if let number = reset.double { return Self.limited(number - now) }
        return reset.string.flatMap { UTCTime(reading: $0) }.map { Self.limited(Double($0.seconds) - now) }
    }

    private static func limited(_ seconds: Double) -> Int { Int(min(max(seconds, 0), Double(Self.most))) }

    /// `Sun, 06 Nov 1994 08:49:37 GMT`, in seconds since 1970.
    static func date(_ text: String) -> Int? {
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        let parts = text.split { $0 == " " || $0 == "," }
        guard parts.count == 6, let month = months.firstIndex(of: String(parts[2])) else { return nil }
        let digits = month + 1 < 10 ? "0\(month + 1)" : "\(month + 1)"
        let day = parts[1].count == 1 ? "0\(parts[1])" : "\(parts[1])"
        return UTCTime(reading: "\(parts[3])-\(digits)-\(day)T\(parts[4])Z")?.seconds
    }
}
