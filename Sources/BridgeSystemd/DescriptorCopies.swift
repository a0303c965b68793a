import Glibc

/// Copies of descriptors, open for as long as this lives: what waits to be sent must not depend on its originals, whose
/// numbers may be somebody else's by then.
package final class DescriptorCopies: Sendable, Hashable {
    package let descriptors: [Int32]

    package init(of originals: [Int32]) throws(SystemdError) {
        var copies: [Int32] = []
        for original in originals {
            let copy = fcntl(original, F_DUPFD_CLOEXEC, 3)
            guard copy >= 0 else {
                let number = errno
                for copy in copies { close(copy) }
                throw SystemdError(.notification, "Cannot copy a descriptor to be stored", errorNumber: number)
            }
            copies.append(copy)
        }
        self.descriptors = copies
    }

    deinit {
        for descriptor in self.descriptors { close(descriptor) }
    }

    package static func == (one: DescriptorCopies, other: DescriptorCopies) -> Bool { one === other }
    package func hash(into hasher: inout Hasher) { hasher.combine(ObjectIdentifier(self)) }
}
