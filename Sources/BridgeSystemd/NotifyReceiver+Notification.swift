extension NotifyReceiver {
    /// One datagram of the notification protocol, and who sent it.
    package struct Notification: Hashable, Sendable {
        /// The sender, as the kernel vouches for it. Believe a notification only about the process that sent it.
        package let pid: Int32
        package let uid: UInt32
        /// Every assignment, those with a property of their own included. Of two with one name the first counts.
        package let fields: [String: String]

        package init(pid: Int32, uid: UInt32, fields: [String: String]) {
            self.pid = pid
            self.uid = uid
            self.fields = fields
        }

        package var isReady: Bool { self.fields["READY"] == "1" }
        package var isStopping: Bool { self.fields["STOPPING"] == "1" }
        /// A sign of life.
        package var isWatchdog: Bool { self.fields["WATCHDOG"] == "1" }
        /// The assignments in a datagram. Lines that are no assignment, or not UTF-8, are skipped.
        ///
        /// - Returns: `nil` for a datagram with a NUL byte in it (at the end one is allowed), or without any assignment.
        package static func parse(_ datagram: ArraySlice<UInt8>) -> [String: String]? {
            let text = datagram.last == 0 ? datagram.dropLast() : datagram
            guard !text.contains(0) else { return nil }
            var fields: [String: String] = [:]
            for line in text.split(separator: UInt8(ascii: "\n")) {
                guard let equals = line.firstIndex(of: UInt8(ascii: "=")), Self.isName(line[..<equals]),
                    let name = String(validating: line[..<equals], as: UTF8.self),
                    let value = String(validating: line[(equals + 1)...], as: UTF8.self),
                    fields[name] == nil
                else { continue }
                fields[name] = value
            }
            return fields.isEmpty ? nil : fields
        }

        private static func isName(_ bytes: ArraySlice<UInt8>) -> Bool {
            (1...64).contains(bytes.count)
                && bytes.allSatisfy { byte in
                    switch byte {
                    case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
                        UInt8(ascii: "_"):
                        true
                    default: false
                    }
                }
        }
    }
}
