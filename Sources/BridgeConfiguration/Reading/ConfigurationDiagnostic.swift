/// One thing that is wrong or doubtful in what the operator wrote, and what to do about it.
///
/// Messages and remedies never repeat a value that could be a secret.
package struct ConfigurationDiagnostic: Sendable, Hashable {
    package enum Severity: String, Sendable, Hashable, Codable {
        /// The configuration, or the server that it is about, is not used; see ``Reach``.
        case error
        /// It is used, not quite as written.
        case warning
    }

    /// What an error keeps from running.
    package enum Reach: Sendable, Hashable {
        /// Everything: the text cannot be read as a whole, or says something wrong about the service itself.
        case service
        /// One server: something is written wrongly in its entry.
        case entry(String)
        /// One server: its entry is well written, and something that it needs is not there (a variable, a credential, a file).
        case needs(String)

        /// The server that alone is kept from running.
        package var server: String? {
            switch self {
            case .service: nil
            case .entry(let name), .needs(let name): name
            }
        }
    }

    package var severity: Severity
    /// Of an error; a warning keeps nothing from running.
    package var reach: Reach
    /// The file's name as it was given; `environment` for environment variables.
    package var file: String?
    /// Counted from 1; a column is a Unicode scalar.
    package var position: SourcePosition?
    /// `mcpServers.github.env.TOKEN`, or an environment variable's name.
    package var keyPath: String
    package var message: String
    package var remedy: String?

    package init(
        _ severity: Severity,
        reach: Reach = .service,
        file: String? = nil,
        position: SourcePosition? = nil,
        keyPath: String,
        message: String,
        remedy: String? = nil
    ) {
        self.severity = severity
        self.reach = reach
        self.file = file
        self.position = position
        self.keyPath = keyPath
        self.message = message
        self.remedy = remedy
    }

    package var line: Int? { self.position?.line }
    package var column: Int? { self.position?.column }
}

/// A place in a file as editors count it.
package struct SourcePosition: Sendable, Hashable {
    package var line: Int
    package var column: Int

    package init(line: Int, column: Int) {
        self.line = line
        self.column = column
    }

    /// Where the byte at `offset` lies; an offset past the end is the end. A byte order mark takes no column.
    package init(of offset: Int, in bytes: [UInt8]) {
        let mark = bytes.starts(with: JSONC.byteOrderMark) ? JSONC.byteOrderMark.count : 0
        self.init(line: 1, column: 1)
        self.advance(over: bytes[..<min(max(offset, mark), bytes.count)].dropFirst(mark))
    }

    /// Steps over text that begins here.
    mutating func advance(over bytes: ArraySlice<UInt8>) {
        for byte in bytes {
            if byte == UInt8(ascii: "\n") {
                self.line += 1
                self.column = 1
            } else if byte & 0xC0 != 0x80 {
                self.column += 1
            }
        }
    }
}

extension ConfigurationDiagnostic: CustomStringConvertible {
    /// `file:line:column: error: key: message. Remedy.` — the form that editors and terminals make into a link.
    package var description: String {
        var place = self.file ?? ""
        if let position = self.position { place += ":\(position.line):\(position.column)" }
        let key = self.keyPath.isEmpty ? "" : "\(self.keyPath): "
        let remedy = self.remedy.map { " \($0)" } ?? ""
        return "\(place.isEmpty ? "" : "\(place): ")\(self.severity.rawValue): \(key)\(self.message)\(remedy)"
    }
}
