/// The last few names, each once. Pure.
struct RecentNames {
    static let maximum = 64

    private var names: [String] = []

    /// - Returns: whether it is not among them yet.
    mutating func insert(_ name: String) -> Bool {
        guard !self.names.contains(name) else { return false }
        self.names.append(name)
        if self.names.count > Self.maximum { self.names.removeFirst() }
        return true
    }
}
