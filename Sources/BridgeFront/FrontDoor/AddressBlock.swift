/// An address, or a block of them: `10.0.0.0/8`.
struct AddressBlock: Sendable, Equatable {
    private let first: IPAddress
    private let bits: Int

    init?(_ text: String) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let address = parts.first.flatMap({ IPAddress($0) }) else { return nil }
        let most = parts[0].contains(":") ? 128 : 32
        guard let length = parts.count == 2 ? Int(parts[1]) : most, (0...most).contains(length) else { return nil }
        self.first = address
        self.bits = length + 128 - most
    }

    func contains(_ address: IPAddress) -> Bool { address.begins(as: self.first, bits: self.bits) }
}
