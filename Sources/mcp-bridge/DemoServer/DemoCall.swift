import BridgeCore
import BridgeMCP

/// A call whose arguments have been found good.
enum DemoCall {
    case echo(String)
    case add(DemoSum)
    /// Seconds east of Greenwich; `nil` is UTC.
    case clock(offset: Int?)
    /// `seconds` is kept as it was spelled.
    case sleep(seconds: JSONText, steps: Int)
    case fail(String)
    case log(LogSeverity, String)
    /// Nil is every kind there is.
    case content([DemoContent]?)
    case ask([DemoQuestion])
    case askPage
    case needPage
    case change(list: String)
    case touch(uri: String)

    init(_ tool: DemoTool, _ arguments: DemoArguments) throws(DemoArguments.Problem) {
        switch tool {
        case .echo: self = .echo(try arguments.string("text"))
        case .add: self = .add(try DemoSum(arguments.number("a"), arguments.number("b")))
        case .clock: self = .clock(offset: try Self.offset(arguments))
        case .sleep: self = .sleep(seconds: try Self.seconds(arguments), steps: try Self.steps(arguments))
        case .fail: self = .fail(arguments.has("message") ? try arguments.string("message") : "This tool always fails.")
        case .log: self = .log(try Self.level(arguments), try arguments.string("message"))
        case .content: self = .content(try Self.kinds(arguments))
        case .askModel:
            let withTools = arguments.has("tools") ? try arguments.bool("tools") : false
            self = .ask([.model(prompt: try arguments.string("prompt"), withTools: withTools)])
        case .askPerson: self = .ask([.person(shape: try Self.shape(arguments))])
        case .askTwice: self = .ask([.model(prompt: "What is the weather?", withTools: false), .person(shape: .text)])
        case .askRoots: self = .ask([.roots])
        case .askPage: self = .askPage
        case .needPage: self = .needPage
        case .change: self = .change(list: try Self.list(arguments))
        case .touch: self = .touch(uri: try arguments.string("uri"))
        case .extra: self = .echo("This tool comes and goes.")
        }
    }

    private static func kinds(_ arguments: DemoArguments) throws(DemoArguments.Problem) -> [DemoContent]? {
        guard arguments.has("kind") else { return nil }
        guard let kind = DemoContent(rawValue: try arguments.string("kind")) else {
            throw .init("kind must be one of \(DemoContent.allCases.map(\.rawValue).joined(separator: ", ")).")
        }
        return [kind]
    }

    private static func shape(_ arguments: DemoArguments) throws(DemoArguments.Problem) -> DemoShape {
        guard arguments.has("shape") else { return .text }
        guard let shape = DemoShape(rawValue: try arguments.string("shape")) else {
            throw .init("shape must be one of \(DemoShape.allCases.map(\.rawValue).joined(separator: ", ")).")
        }
        return shape
    }

    private static func list(_ arguments: DemoArguments) throws(DemoArguments.Problem) -> String {
        let list = try arguments.string("list")
        guard ["tools", "prompts", "resources"].contains(list) else {
            throw .init("list must be tools, prompts or resources.")
        }
        return list
    }

    private static func offset(_ arguments: DemoArguments) throws(DemoArguments.Problem) -> Int? {
        guard arguments.has("timezone") else { return nil }
        let name = try arguments.string("timezone")
        if name == "UTC" || name == "Z" { return nil }
        guard let offset = DemoClock.offset(name) else {
            throw .init("timezone must be UTC or an offset such as +02:00.")
        }
        return offset
    }

    private static func seconds(_ arguments: DemoArguments) throws(DemoArguments.Problem) -> JSONText {
        let seconds = try arguments.number("seconds")
        guard let value = seconds.double, (0...60).contains(value) else { throw .init("seconds must be from 0 to 60.") }
        return seconds
    }

    private static func steps(_ arguments: DemoArguments) throws(DemoArguments.Problem) -> Int {
        guard arguments.has("steps") else { return 4 }
        guard let steps = try arguments.number("steps").double, (1...100).contains(steps), steps == steps.rounded()
        else {
            throw .init("steps must be a whole number from 1 to 100.")
        }
        return Int(steps)
    }

    private static func level(_ arguments: DemoArguments) throws(DemoArguments.Problem) -> LogSeverity {
        guard let level = LogSeverity(rawValue: try arguments.string("level")) else {
            throw .init("level must be one of \(LogSeverity.allCases.map(\.rawValue).joined(separator: ", ")).")
        }
        return level
    }
}

/// A sum, exact where both numbers are plain integers and it fits.
enum DemoSum {
    case integer(Int)
    case double(Double)

    init(_ a: JSONText, _ b: JSONText) throws(DemoArguments.Problem) {
        if let a = a.int, let b = b.int, case (let sum, let overflow) = a.addingReportingOverflow(b), !overflow {
            self = .integer(sum)
        } else if let a = a.double, let b = b.double, (a + b).isFinite {
            self = .double(a + b)
        } else {
            throw .init("The sum is out of range.")
        }
    }

    var text: JSONText {
        switch self {
        case .integer(let sum): JSONText(sum)
        case .double(let sum): JSONWriter.value(sum)
        }
    }
}

/// The arguments of a call, each of them known to the tool.
struct DemoArguments {
    struct Problem: Error, CustomStringConvertible {
        let description: String
        init(_ description: String) { self.description = description }
    }

    private var values: [String: JSONText] = [:]

    init(_ arguments: JSONText, allowed: [String]) throws(Problem) {
        var problem: Problem?
        arguments.members { key, value in
            let key = key.string
            if !allowed.contains(key) { problem = Problem("There is no argument called \(key).") }
            if self.values.updateValue(arguments[value], forKey: key) != nil {
                problem = Problem("\(key) is given twice.")
            }
        }
        if let problem { throw problem }
    }

    func has(_ key: String) -> Bool { self.values[key] != nil }

    func string(_ key: String) throws(Problem) -> String {
        guard let value = self.values[key] else { throw Problem("\(key) is missing.") }
        guard let string = value.string else { throw Problem("\(key) must be a string.") }
        return string
    }

    func bool(_ key: String) throws(Problem) -> Bool {
        guard let value = self.values[key] else { throw Problem("\(key) is missing.") }
        switch value.kind {
        case .true: return true
        case .false: return false
        default: throw Problem("\(key) must be true or false.")
        }
    }

    func number(_ key: String) throws(Problem) -> JSONText {
        guard let value = self.values[key] else { throw Problem("\(key) is missing.") }
        guard value.kind == .number else { throw Problem("\(key) must be a number.") }
        return value
    }
}
