// Walks through the API with the client of openapi-generator: Walk URL

import client.ApiClient;
import client.ApiException;
import client.ApiResponse;
import client.api.AuthenticationApi;
import client.api.TasksApi;
import client.model.Credentials;
import client.model.Problem;
import client.model.Registration;
import client.model.TaskItem;
import client.model.TaskItemInput;
import client.model.TaskItemPage;
import client.model.TaskItemPatch;
import client.model.TaskItemStatus;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

public class Walk {
    interface Call {
        void run() throws ApiException;
    }

    static void expect(boolean condition, String what) {
        if (!condition) {
            throw new IllegalStateException(what);
        }
    }

    /** The problem that a call must end with. */
    static Problem problem(ApiClient client, int status, Call call) throws Exception {
        try {
            call.run();
        } catch (ApiException refused) {
            expect(refused.getCode() == status, status + ": " + refused.getCode() + " " + refused.getResponseBody());
            return client.getObjectMapper().readValue(refused.getResponseBody(), Problem.class);
        }
        throw new IllegalStateException(status + " did not come");
    }

    public static void main(String[] arguments) throws Exception {
        ApiClient client = new ApiClient();
        client.updateBaseUri(arguments[0]);
        String email = "java@example.com";
        String password = "a long pass phrase";
        AuthenticationApi authentication = new AuthenticationApi(client);
        expect(authentication.registerUser(new Registration().email(email).password(password)).getEmail().equals(email),
                "register");
        String token = authentication.login(new Credentials().email(email).password(password)).getAccessToken();
        client.setRequestInterceptor(request -> request.setHeader("Authorization", "Bearer " + token));
        TasksApi tasks = new TasksApi(client);

        for (String title : List.of("One", "Two", "Three")) {
            TaskItem created = tasks.createTask(new TaskItemInput().title(title), null, null);
            expect(created.getDescription() == null && created.getStatus() == TaskItemStatus.PENDING, "create");
        }
        Set<TaskItemStatus> status = new LinkedHashSet<>(List.of(TaskItemStatus.PENDING, TaskItemStatus.IN_PROGRESS));
        TasksApi.APIListTasksRequest.Builder query = TasksApi.APIListTasksRequest.newBuilder().limit(2).status(status);
        TaskItemPage first = tasks.listTasks(query.build());
        expect(first.getItems().size() == 2 && first.getNextCursor() != null, "first page");
        TaskItemPage second = tasks.listTasks(query.cursor(first.getNextCursor()).build());
        expect(second.getItems().size() == 1 && second.getNextCursor() == null, "second page");

        var id = second.getItems().get(0).getId();
        ApiResponse<TaskItem> read = tasks.getTaskWithHttpInfo(id, null);
        String tag = read.getHeaders().entrySet().stream().filter(one -> one.getKey().equalsIgnoreCase("ETag"))
                .findFirst().orElseThrow().getValue().get(0);
        TaskItem changed = tasks.updateTask(id, new TaskItemPatch().status(TaskItemStatus.COMPLETED), tag, null);
        expect(changed.getCompletedAt() != null, "patch");
        expect(problem(client, 412, () -> tasks.updateTask(id, new TaskItemPatch().title("Late"), tag, null)).getCode()
                .equals("precondition_failed"), "412");
        expect(problem(client, 422, () -> tasks.createTask(new TaskItemInput().title(" "), null, null)).getErrors().get(0)
                .getPointer().equals("/title"), "422");
        tasks.deleteTask(id, null, null);
        expect(problem(client, 404, () -> tasks.getTask(id, null)).getCode().equals("not_found"), "404");
    }
}
