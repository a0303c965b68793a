import BridgeCore

/// Takes the members of one object of a request, and knows which of them nobody has taken.
///
/// `null` counts as absent: SDKs write it for what was not given. A member that we act on and that stands there twice is
/// refused, since two readers could disagree about which one counts.
struct MemberReader {
    /// Where the object stands: empty for the body, `messages[2]` in it.
    let path: String
    // Side by side, in their order. Most searches find nothing: they step through the keys alone.
    private var keys: [String] = []
    private var values: [JSONText] = []
    private var isTaken: [Bool] = []

    /// No object that is read here has nearly as many in any dialect. Each is looked through several times.
    private static let maximumMembers = 512

    init(_ text: JSONText, at path: String) throws(ChatFault) {
        guard text.kind == .object else { throw .invalid(path, "an object is expected") }
        self.path = path
        var count = 0
        text.members { key, span in
            count += 1
            guard count <= Self.maximumMembers, span.kind != .null else { return }
            self.keys.append(key.string)
            self.values.append(text[span])
        }
        self.isTaken = [Bool](repeating: false, count: self.keys.count)
        guard count <= Self.maximumMembers else {
            throw .invalid(path, "it has \(count) members, and at most \(Self.maximumMembers) are accepted")
        }
    }

    /// Where a member of this object stands.
    func path(_ name: String) -> String { self.path.isEmpty ? name : "\(self.path).\(name)" }

    mutating func take(_ name: String) throws(ChatFault) -> JSONText? {
        var value: JSONText?
        for index in self.keys.indices where self.keys[index] == name && !self.isTaken[index] {
            guard value == nil else { throw .invalid(self.path(name), "it is given twice") }
            value = self.values[index]
            self.isTaken[index] = true
        }
        return value
    }

    /// Members that mean nothing here, and nothing that a client could miss.
    mutating func discard(_ names: String...) {
        for index in self.keys.indices where names.contains(self.keys[index]) { self.isTaken[index] = true }
    }

    /// What nobody has taken, in its order.
    var rest: [(key: String, value: JSONText)] {
        self.keys.indices.lazy.filter { !self.isTaken[$0] }.map { (self.keys[$0], self.values[$0]) }
    }

    /// Names what nobody has taken as ignored, `prefix` before each name.
    func ignoreRest(as prefix: String, in remarks: inout ChatRemarks) {
        for member in self.rest { remarks.ignore("\(prefix).\(member.key)") }
    }
}

extension MemberReader {
    mutating func string(_ name: String) throws(ChatFault) -> String? {
        guard let value = try self.take(name) else { return nil }
        guard let string = value.string else { throw .invalid(self.path(name), "a string is expected") }
        return string
    }

    mutating func requiredString(_ name: String) throws(ChatFault) -> String {
        guard let string = try self.string(name) else { throw .invalid(self.path(name), "it is missing") }
        return string
    }

    mutating func bool(_ name: String) throws(ChatFault) -> Bool? {
        guard let value = try self.take(name) else { return nil }
        guard let bool = value.bool else { throw .invalid(self.path(name), "true or false is expected") }
        return bool
    }

    mutating func number(_ name: String) throws(ChatFault) -> Double? {
        guard let value = try self.take(name) else { return nil }
        guard let number = value.double else { throw .invalid(self.path(name), "a number is expected") }
        return number
    }

    /// An integer, however it is spelled: `100`, `100.0`, `1e2`.
    mutating func integer(_ name: String) throws(ChatFault) -> Int? {
        guard let value = try self.take(name) else { return nil }
        if let integer = value.int { return integer }
        guard let number = value.double, let integer = Int(exactly: number) else {
            throw .invalid(self.path(name), "an integer is expected")
        }
        return integer
    }

    mutating func array(_ name: String, atMost limit: Int) throws(ChatFault) -> [JSONText]? {
        guard let value = try self.take(name) else { return nil }
        guard value.kind == .array else { throw .invalid(self.path(name), "an array is expected") }
        return try Self.elements(of: value, atMost: limit, at: self.path(name))
    }

    /// - Parameter array: one.
    static func elements(of array: JSONText, atMost limit: Int, at path: String) throws(ChatFault) -> [JSONText] {
        let (elements, count) = array.elementTexts(atMost: limit)
        guard count <= limit else {
            throw .invalid(path, "it has \(count) elements, and at most \(limit) are accepted")
        }
        return elements
    }

    mutating func object(_ name: String) throws(ChatFault) -> JSONText? {
        guard let value = try self.take(name) else { return nil }
        guard value.kind == .object else { throw .invalid(self.path(name), "an object is expected") }
        return value
    }

    mutating func reader(_ name: String) throws(ChatFault) -> MemberReader? {
        guard let value = try self.take(name) else { return nil }
        return try MemberReader(value, at: self.path(name))
    }
}
