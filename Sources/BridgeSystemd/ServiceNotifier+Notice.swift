extension ServiceNotifier {
    /// What goes in one datagram.
    package enum Notice: Hashable, Sendable {
        /// The receiver sees them all at once.
        case messages([Message])
        /// Has the service manager keep the descriptors over a restart; they come back from ``ListenSockets/take()`` under
        /// `name`.
        ///
        /// `polled`: whether the manager drops a descriptor from its store at a hang-up or an error on it.
        case store(name: String, descriptors: DescriptorCopies, polled: Bool)
        /// Has the service manager close every descriptor that it keeps under `name`.
        case removeStored(name: String)

        /// As many of ``store(name:descriptors:polled:)`` as it takes to pass all descriptors. These stay the caller's.
        package static func storing(
            name: String, _ descriptors: [Int32], polled: Bool = true
        ) throws(SystemdError) -> [Notice] {
            let step = ControlMessages.maximumDescriptors
            var notices: [Notice] = []
            for start in stride(from: 0, to: descriptors.count, by: step) {
                let some = Array(descriptors[start..<min(start + step, descriptors.count)])
                notices.append(.store(name: name, descriptors: try DescriptorCopies(of: some), polled: polled))
            }
            return notices
        }

        var descriptors: [Int32] {
            switch self {
            case .store(_, let copies, _): copies.descriptors
            case .messages, .removeStored: []
            }
        }

        /// - Parameter monotonic: the time of sending, in microseconds of `CLOCK_MONOTONIC`.
        func encoded(monotonic: UInt64) throws(SystemdError) -> String {
            switch self {
            case .messages(let messages):
                return messages.map { $0.encoded(monotonic: monotonic) }.joined(separator: "\n")
            case .store(let name, _, let polled):
                return "FDSTORE=1\nFDNAME=\(try Self.checked(name))" + (polled ? "" : "\nFDPOLL=0")
            case .removeStored(let name):
                return "FDSTOREREMOVE=1\nFDNAME=\(try Self.checked(name))"
            }
        }

        private static func checked(_ name: String) throws(SystemdError) -> String {
            guard ListenSockets.isValidName(name) else {
                throw SystemdError(.name, "'\(name)' cannot name a stored descriptor")
            }
            return name
        }
    }
}
