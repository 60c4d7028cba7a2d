// SPDX-License-Identifier: MIT
// Keeps a copy of an account's tasks and lists, on Android or a JVM. docs/clients.md explains it.
// org.json is part of Android; elsewhere it is the library org.json:json.

import java.io.IOException
import java.net.HttpURLConnection
import java.net.URI
import org.json.JSONObject

class Refused(val status: Int, val wait: Long?) : Exception("HTTP $status")

/** [save] is called when [things] are all of one moment: keep them and [cursor] in one transaction. */
class Copy(private val base: String, var token: String, private val save: (Copy) -> Unit) {
    var things = HashMap<String, JSONObject>() // keyed by kind and id
    var cursor = "" // the place in the order of changes that they stand for; what was kept goes in here
    private var whole = false
    private var unseen = HashSet<String>() // what a walk that began again did not bring yet
    private var retry = 2000L // milliseconds

    private fun get(path: String, fields: Map<String, String> = emptyMap()): HttpURLConnection {
        val call = URI(base + path).toURL().openConnection() as HttpURLConnection
        call.connectTimeout = 15_000
        call.readTimeout = 40_000 // a stream says something every 15 s
        for ((name, value) in fields + ("Authorization" to "Bearer $token")) call.setRequestProperty(name, value)
        if (call.responseCode != 200) throw Refused(call.responseCode, call.getHeaderField("Retry-After")?.toLongOrNull())
        return call
    }

    private fun apply(change: JSONObject) {
        val kind = change.getString("kind")
        val key = kind + "/" + change.getString("id")
        unseen.remove(key)
        if (change.getString("op") == "put") things[key] = change.getJSONObject(kind)
        else things.remove(key) // it may never have come
    }

    private fun beginAgain() {
        cursor = ""
        whole = false
        unseen = HashSet(things.keys)
    }

    private fun walk() {
        while (!whole) {
            val path = "/v1/changes?limit=500" + if (cursor == "") "" else "&cursor=$cursor"
            val page = JSONObject(get(path).inputStream.bufferedReader().use { it.readText() })
            val changes = page.getJSONArray("changes")
            for (place in 0 until changes.length()) apply(changes.getJSONObject(place))
            cursor = page.getString("next_cursor")
            whole = !page.getBoolean("more")
        }
        things.keys.removeAll(unseen)
        unseen.clear()
        save(this)
    }

    private fun follow() {
        val event = HashMap<String, String>()
        val fields = mapOf("Accept" to "text/event-stream", "Last-Event-ID" to cursor)
        get("/v1/events", fields).inputStream.bufferedReader().forEachLine { line ->
            event[line.substringBefore(":")] = line.substringAfter(":", "").removePrefix(" ")
            if (line == "") { // an empty line ends an event
                take(event)
                event.clear()
            }
        }
    }

    private fun take(event: Map<String, String>) {
        retry = event["retry"]?.toLong() ?: retry
        cursor = event["id"] ?: cursor
        when (event["event"]) {
            "change" -> apply(JSONObject(event.getValue("data")))
            "ready" -> save(this) // nothing newer is there
            "gone" -> beginAgain()
        }
    }

    /** Blocks, so give it a thread. Returns when the token has ended; it may be called again with another [token]. */
    fun run() {
        whole = cursor != ""
        while (true) {
            var wait: Long? = null
            try {
                walk()
                follow()
            } catch (refused: Refused) {
                wait = refused.wait?.times(1000)
                if (refused.status == 401) return
                if (refused.status == 410) beginAgain() else if (refused.status < 500 && wait == null) throw refused
            } catch (lost: IOException) {
                // no network, or a server that starts again
            }
            Thread.sleep(wait ?: retry)
        }
    }
}
