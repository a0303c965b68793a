import NIOCore

/// Prometheus' text exposition format, version 0.0.4.
struct PrometheusText {
    static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    enum Kind: String { case counter, gauge, histogram }

    private(set) var buffer = ByteBuffer()

    mutating func metric(_ name: String, _ kind: Kind, _ help: String, _ body: (inout Samples) -> Void) {
        self.buffer.writeString("# HELP \(name) \(help)\n# TYPE \(name) \(kind.rawValue)\n")
        var samples = Samples(name: name, buffer: self.buffer)
        self.buffer = ByteBuffer()
        body(&samples)
        self.buffer = samples.buffer
    }

    mutating func metric(_ name: String, _ kind: Kind, _ help: String, _ value: some Numeric) {
        self.metric(name, kind, help) { $0.sample(value) }
    }

    struct Samples {
        fileprivate let name: String
        fileprivate var buffer: ByteBuffer

        /// - Parameter suffix: of the name, in a histogram.
        mutating func sample(
            _ value: some Numeric, _ labels: KeyValuePairs<String, String> = [:], suffix: String = ""
        ) {
            self.buffer.writeString(self.name)
            self.buffer.writeString(suffix)
            if !labels.isEmpty {
                let pairs = labels.map { "\($0.key)=\"\(PrometheusText.escape($0.value))\"" }
                self.buffer.writeString("{\(pairs.joined(separator: ","))}")
            }
            self.buffer.writeString(" \(value)\n")
        }
    }

    static func escape(_ value: String) -> String {
        var escaped = ""
        for character in value.unicodeScalars {
            switch character {
            case "\\": escaped += "\\\\"
            case "\"": escaped += "\\\""
            case "\n": escaped += "\\n"
            default: escaped.unicodeScalars.append(character)
            }
        }
        return escaped
    }
}
