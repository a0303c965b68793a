/// How an upstream's child process is started. Everything is final: expanded, absolute where it has to be.
package struct StdioLaunch: Sendable, Hashable, Codable {
    /// What to do with bytes from the child that are not UTF-8.
    package enum EncodingErrors: String, Sendable, Hashable, Codable, CaseIterable {
        /// The line is noise: logged and skipped.
        case strict
        /// The bytes are dropped.
        case ignore
        /// Each ill-formed sequence becomes U+FFFD.
        case replace
    }

    /// A path, or a name that is looked up in the child's own `PATH`.
    package var command: String
    /// Without the command itself.
    package var arguments: [String]
    /// The child's whole environment.
    package var environment: [String: Secret]
    /// `nil` is the worker's own.
    package var workingDirectory: String?
    package var encodingErrors: EncodingErrors
    /// What stands for the command and for the working directory in messages, where they hold something secret.
    package var shownCommand: String?
    package var shownWorkingDirectory: String?

    package init(
        command: String,
        arguments: [String] = [],
        environment: [String: Secret] = [:],
        workingDirectory: String? = nil,
        encodingErrors: EncodingErrors = .strict
    ) {
        self.command = command
        self.arguments = arguments
        self.environment = environment
        self.workingDirectory = workingDirectory
        self.encodingErrors = encodingErrors
    }

    /// A message about the start, without what nobody may see.
    package func shown(_ message: String) -> String {
        var message = message
        if let shownCommand { message = message.replacing(self.command, with: shownCommand) }
        if let workingDirectory, let shownWorkingDirectory {
            message = message.replacing(workingDirectory, with: shownWorkingDirectory)
        }
        return message
    }
}

/// Arguments can hold expanded credentials too, so nothing of the launch is ever printed but its size.
extension StdioLaunch: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package var description: String {
        "StdioLaunch(\(self.arguments.count) arguments, \(self.environment.count) variables)"
    }
    package var debugDescription: String { self.description }
    package var customMirror: Mirror { Mirror(self, children: [], displayStyle: .struct) }
}
