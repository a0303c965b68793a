package import BridgeCore
package import NIOCore

/// The file that keeps tool lists warm across restarts:
/// `{"updatedAt": …, "toolsByUpstream": {"<upstream>": [tool, …]}, "programsByUpstream": {…}}`, indented by two spaces.
///
/// Pure: reading and writing the file is the caller's.
package struct ToolsCache: Sendable {
    /// The tools of each upstream, as the upstream wrote them.
    package var toolsByUpstream: [String: [JSONText]]
    /// Which program listed them, as a fingerprint. Files of older versions have none.
    package var programsByUpstream: [String: String]

    package init(toolsByUpstream: [String: [JSONText]] = [:], programsByUpstream: [String: String] = [:]) {
        self.toolsByUpstream = toolsByUpstream
        self.programsByUpstream = programsByUpstream
    }

    /// What an upstream listed in an earlier life, unless another program did.
    package func tools(of upstream: String, program: String) -> [JSONText]? {
        guard self.programsByUpstream[upstream].map({ $0 == program }) ?? true else { return nil }
        return self.toolsByUpstream[upstream]
    }

    /// Reads the file's bytes. What is not such a file is an empty cache.
    package init(parsing bytes: ByteBuffer) {
        var upstreams: [String: [JSONText]] = [:]
        var programs: [String: String] = [:]
        if let text = try? JSONText(validating: bytes), let lists = text.value("toolsByUpstream") {
            lists.members { name, list in
                var tools: [JSONText] = []
                lists[list].elements { tools.append(lists[list][$0]) }
                upstreams[name.string] = tools
            }
        }
        if let text = try? JSONText(validating: bytes), let named = text.value("programsByUpstream") {
            named.members { name, program in programs[name.string] = named[program].string }
        }
        self.toolsByUpstream = upstreams
        self.programsByUpstream = programs
    }

    /// The file's bytes. Upstreams without tools are left out.
    ///
    /// - Parameter updatedAt: an ISO 8601 time.
    package func serialized(updatedAt: String) -> ByteBuffer {
        let text = JSONWriter.object { file in
            file.member("updatedAt", updatedAt)
            file.memberObject("toolsByUpstream") { lists in
                for (name, tools) in self.toolsByUpstream.sorted(by: { $0.key < $1.key }) where !tools.isEmpty {
                    lists.memberArray(name) { list in for tool in tools { list.element(tool) } }
                }
            }
            let listed = self.programsByUpstream.filter {
                !$0.value.isEmpty && self.toolsByUpstream[$0.key]?.isEmpty == false
            }
            guard !listed.isEmpty else { return }
            file.memberObject("programsByUpstream") { programs in
                for (name, program) in listed.sorted(by: { $0.key < $1.key }) { programs.member(name, program) }
            }
        }
        var buffer = ByteBuffer()
        text.writeIndented(to: &buffer)
        buffer.writeStaticString("\n")
        return buffer
    }
}

extension JSONText {
    /// Appends the value laid out for people: members and elements on lines of their own, two spaces a level. Scalars and
    /// keys keep their spelling.
    package func writeIndented(to buffer: inout ByteBuffer, level: Int = 0) {
        switch self.kind {
        case .object:
            var first = true
            self.members { key, value in
                Self.newLine(&buffer, first ? "{" : ",", level + 1)
                first = false
                key.text.write(to: &buffer)
                buffer.writeStaticString(": ")
                self[value].writeIndented(to: &buffer, level: level + 1)
            }
            if first { buffer.writeStaticString("{}") } else { Self.newLine(&buffer, "", level, "}") }
        case .array:
            var first = true
            self.elements { value in
                Self.newLine(&buffer, first ? "[" : ",", level + 1)
                first = false
                self[value].writeIndented(to: &buffer, level: level + 1)
            }
            if first { buffer.writeStaticString("[]") } else { Self.newLine(&buffer, "", level, "]") }
        case .string, .number, .true, .false, .null:
            self.write(to: &buffer)
        }
    }

    private static func newLine(
        _ buffer: inout ByteBuffer, _ before: StaticString, _ level: Int, _ after: StaticString = ""
    ) {
        buffer.writeStaticString(before)
        buffer.writeStaticString("\n")
        buffer.writeRepeatingByte(UInt8(ascii: " "), count: level * 2)
        buffer.writeStaticString(after)
    }
}
