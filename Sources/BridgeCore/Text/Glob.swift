/// Shell-like patterns over whole names: `*` and `?`, nothing else.
package enum Glob {
    /// Linear in the name for each `*` (it remembers only the last one), so that no pattern can take exponential time.
    package static func matches(_ name: String, pattern: String) -> Bool {
        let name = Array(name.unicodeScalars)
        let pattern = Array(pattern.unicodeScalars)
        var position = 0
        var index = 0
        var resume: (index: Int, position: Int)?
        while position < name.count {
            if index < pattern.count, pattern[index] == "*" {
                resume = (index + 1, position)
                index += 1
            } else if index < pattern.count, pattern[index] == "?" || pattern[index] == name[position] {
                index += 1
                position += 1
            } else if let last = resume {
                resume = (last.index, last.position + 1)
                index = last.index
                position = last.position + 1
            } else {
                return false
            }
        }
        return pattern[index...].allSatisfy { $0 == "*" }
    }
}
