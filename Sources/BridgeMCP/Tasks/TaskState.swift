package import BridgeCore

/// How a task is (2025-11-25, basic/utilities/tasks).
package enum TaskStatus: String, Sendable {
    case working
    case inputRequired = "input_required"
    case completed, failed, cancelled

    /// Whether nothing follows.
    package var isFinal: Bool {
        switch self {
        case .working, .inputRequired: false
        case .completed, .failed, .cancelled: true
        }
    }
}

/// What a server says of one of its tasks.
package struct TaskState: Sendable, Equatable {
    /// As whoever speaks calls it.
    package let id: String
    /// nil where it is a word that MCP does not know.
    package let status: TaskStatus?
    /// In milliseconds; nil where it is not limited.
    package let ttl: Int?
    /// In milliseconds.
    package let pollInterval: Int?
    /// All of it.
    package let text: JSONText

    /// `nil` for what is no task.
    package init?(_ task: JSONText) {
        guard task.kind == .object, let id = task.string("taskId"), let status = task.string("status") else {
            return nil
        }
        self.id = id
        self.status = TaskStatus(rawValue: status)
        self.ttl = task.value("ttl").flatMap(Self.milliseconds)
        self.pollInterval = task.value("pollInterval").flatMap(Self.milliseconds)
        self.text = task
    }

    /// - Parameter number: whole or not; a server may write `1e3`.
    private static func milliseconds(_ number: JSONText) -> Int? {
        if let whole = number.int { return max(0, whole) }
        return number.double.map { Int(min(max(0, $0), 1e15)) }
    }
}

/// Whether a tool can be called as a task (`execution.taskSupport`).
package enum TaskSupport: String, Sendable {
    case forbidden, optional, required

    /// - Parameter tool: its definition.
    package init(of tool: JSONText) {
        self = tool.value("execution")?.string("taskSupport").flatMap(Self.init(rawValue:)) ?? .forbidden
    }

    /// Whether a server declares that its tools can be called as tasks.
    package static func isDeclared(in capabilities: JSONText) -> Bool {
        let tools = capabilities.value("tasks")?.value("requests")?.value("tools")
        return tools?.value("call").map { !$0.isNull } ?? false
    }

    /// A tool of a server that does not: what it says of tasks means nothing (basic/utilities/tasks, "Tool-Level
    /// Negotiation"), and clients would act on it. nil where it says nothing.
    package static func taken(from tool: JSONText) -> JSONText? {
        guard let execution = tool.value("execution"), execution.member("taskSupport") != nil else { return nil }
        let rest = execution.without("taskSupport")
        return rest == .emptyObject
            ? tool.without("execution") : tool.replacing("execution", with: rest)
    }
}
