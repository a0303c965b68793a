/// An id that nobody can guess: 128 bits of the kernel's randomness.
package enum RandomID {
    package static func make() -> String {
        String(UInt64.random(in: .min ... .max), radix: 36) + "-" + String(UInt64.random(in: .min ... .max), radix: 36)
    }
}
