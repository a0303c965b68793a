import BridgeConfiguration
import BridgeCore
import BridgeLink
import BridgeProcess
import NIOCore

/// Asks all processes of the service what memory they use, and what their logs have dropped. Nobody else can look: see
/// ``ProcessSecrecy``.
///
/// Confined to the event loop.
final class MemorySurvey {
    fileprivate(set) var book = MemoryBook()
    fileprivate var waiting: [() -> Void] = []
    fileprivate var questions: [Exchange] = []
    fileprivate var limit: Scheduled<Void>?
}

extension Supervisor {
    private static let ownName = "supervisor"
    /// A process that takes longer is left out.
    private static let patience = TimeAmount.seconds(2)

    /// Calls back when ``memory()`` is worth reading: at once, or when the processes have been asked.
    ///
    /// - Parameter fresh: ask them, however short a time ago they were asked.
    func withMemory(fresh: Bool, _ done: @escaping () -> Void) {
        switch self.survey.book.asked(fresh: fresh, at: .now()) {
        case .known: return done()
        case .underWay: self.survey.waiting.append(done)
        case .ask:
            self.survey.waiting.append(done)
            self.askForMemory()
        }
    }

    /// What each process uses, as last asked: bytes by process.
    func memory() -> JSONText {
        let roles: [WorkerRole] =
            [.http, .session] + self.deployment.upstreams.map { .upstream($0.configuration.name) }
        let reports = self.survey.book.reports
        return JSONWriter.object { body in
            for name in [Self.ownName] + roles.map(\.description) {
                guard let report = reports[name] else { continue }
                body.memberObject(name) {
                    $0.member("pssBytes", ifPresent: report.use?.proportional)
                    $0.member("anonymousBytes", ifPresent: report.use?.anonymous)
                    $0.member("droppedLogRecords", report.droppedRecords)
                }
            }
        }
    }

    private func askForMemory() {
        let links = self.slots.compactMap { role, slot in slot.control.map { (role.description, $0) } }
        self.survey.book.begin(Set(links.map(\.0) + [Self.ownName]))
        self.survey.limit = self.loop.assumeIsolated().scheduleTask(in: Self.patience) { [weak self] in
            guard let self, self.survey.book.conclude(at: .now()) else { return }
            self.concludeSurvey()
        }
        let loop = self.loop
        let bound = NIOLoopBound(self, eventLoop: loop)
        let droppedRecords = self.environment.droppedRecords
        self.environment.processes.memory { use in
            let report = MemoryReport(use, droppedRecords: droppedRecords())
            loop.execute { bound.value.told(Self.ownName, report) }
        }
        for (name, link) in links {
            let question = link.ask(header: WorkerRequest.memory.text) { [weak self] answer in
                let header: JSONText? = if case .ended(let header, _) = answer { header } else { nil }
                self?.told(name, header.flatMap { MemoryReport($0) })
            }
            self.survey.questions.append(question)
        }
    }

    private func told(_ process: String, _ report: MemoryReport?) {
        if self.survey.book.told(process, report, at: .now()) { self.concludeSurvey() }
    }

    private func concludeSurvey() {
        self.survey.limit?.cancel()
        self.survey.limit = nil
        for question in self.survey.questions { question.cancel(reason: "no answer in time") }
        self.survey.questions = []
        let waiting = self.survey.waiting
        self.survey.waiting = []
        for done in waiting { done() }
    }
}
