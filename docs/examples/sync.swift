// SPDX-License-Identifier: MIT
// Keeps a copy of an account's tasks and lists, on iOS 15, macOS 12 and newer. docs/clients.md explains it.

import Foundation

struct Refused: Error {
    let status: Int
    let wait: Double?  // seconds
}

/// `save` is called when `things` are all of one moment: keep them and `cursor` in one transaction.
final class Copy {
    private(set) var things: [String: [String: Any]]  // keyed by kind and id
    private(set) var cursor: String  // the place in the order of changes that they stand for
    private let base: String
    var token: String
    private let save: ([String: [String: Any]], String) throws -> Void
    private var whole: Bool
    private var unseen = Set<String>()  // what a walk that began again did not bring yet
    private var retry = 2.0  // seconds

    init(base: String, token: String, things: [String: [String: Any]] = [:], cursor: String = "",
         save: @escaping ([String: [String: Any]], String) throws -> Void) {
        (self.base, self.token, self.save) = (base, token, save)
        (self.things, self.cursor, self.whole) = (things, cursor, cursor != "")
    }

    private func get(_ path: String, _ fields: [String: String] = [:]) async throws -> URLSession.AsyncBytes {
        var request = URLRequest(url: URL(string: base + path)!, timeoutInterval: 40)  // a stream says something every 15 s
        request.allHTTPHeaderFields = fields.merging(["Authorization": "Bearer \(token)"]) { _, ours in ours }
        let (bytes, response) = try await URLSession.shared.bytes(for: request)
        let answer = response as! HTTPURLResponse
        let wait = answer.value(forHTTPHeaderField: "Retry-After").flatMap(Double.init)
        guard answer.statusCode == 200 else { throw Refused(status: answer.statusCode, wait: wait) }
        return bytes
    }

    private func object(_ data: Data) throws -> [String: Any] {
        try JSONSerialization.jsonObject(with: data) as! [String: Any]
    }

    private func apply(_ change: [String: Any]) {
        let kind = change["kind"] as! String
        let key = "\(kind)/\(change["id"] as! String)"
        unseen.remove(key)
        things[key] = change["op"] as? String == "put" ? change[kind] as? [String: Any] : nil  // it may never have come
    }

    private func beginAgain() {
        (cursor, whole, unseen) = ("", false, Set(things.keys))
    }

    private func walk() async throws {
        while !whole {
            var body = Data()
            for try await byte in try await get("/v1/changes?limit=500" + (cursor == "" ? "" : "&cursor=\(cursor)")) {
                body.append(byte)
            }
            let page = try object(body)
            for change in page["changes"] as! [[String: Any]] { apply(change) }
            cursor = page["next_cursor"] as! String
            whole = page["more"] as? Bool == false
        }
        for key in unseen { things[key] = nil }
        unseen = []
        try save(things, cursor)
    }

    private func follow() async throws {
        var event: [String: String] = [:]
        var line = Data()
        let fields = ["Accept": "text/event-stream", "Last-Event-ID": cursor]
        for try await byte in try await get("/v1/events", fields) {  // not `.lines`, which leaves out empty ones
            guard byte == UInt8(ascii: "\n") else {
                line.append(byte)
                continue
            }
            let parts = String(decoding: line, as: UTF8.self).split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            if line.isEmpty {  // an empty line ends an event
                try take(event)
                event = [:]
            } else {
                event[String(parts[0])] = parts.last!.trimmingCharacters(in: .whitespaces)
            }
            line = Data()
        }
    }

    private func take(_ event: [String: String]) throws {
        retry = event["retry"].flatMap(Double.init).map { $0 / 1000 } ?? retry
        cursor = event["id"] ?? cursor
        switch event["event"] {
        case "change": apply(try object(Data(event["data"]!.utf8)))
        case "ready": try save(things, cursor)  // nothing newer is there
        case "gone": beginAgain()
        default: break
        }
    }

    /// Returns when the token has ended; it may be called again with another `token`.
    func run() async throws {
        while true {
            var wait: Double?
            do {
                try await walk()
                try await follow()
            } catch let refused as Refused {
                wait = refused.wait
                if refused.status == 401 { return }
                if refused.status == 410 { beginAgain() } else if refused.status < 500 && wait == nil { throw refused }
            } catch is URLError {
                // no network, or a server that starts again
            }
            try await Task.sleep(nanoseconds: UInt64((wait ?? retry) * 1e9))
        }
    }
}
