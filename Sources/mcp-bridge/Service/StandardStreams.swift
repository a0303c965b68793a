import BridgeFiles
import Glibc

/// Text to standard output and standard error, whole, without buffering. What nobody reads any more is lost.
enum StandardStreams {
    static func output(_ text: String) { try? DescriptorIO.write(text.utf8, to: STDOUT_FILENO) }
    static func error(_ text: String) { try? DescriptorIO.write(text.utf8, to: STDERR_FILENO) }
}
