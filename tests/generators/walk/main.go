// Walks through the API with the client of oapi-codegen: walk URL
package main

import (
	"context"
	"fmt"
	"net/http"
	"os"

	"taskhold.test/generators/oapi"
)

func expect(condition bool, what string) {
	if !condition {
		fmt.Fprintln(os.Stderr, what)
		os.Exit(1)
	}
}

func must[T any](value T, err error) T {
	expect(err == nil, fmt.Sprint(err))
	return value
}

func pointer[T any](value T) *T { return &value }

func main() {
	ctx := context.Background()
	token := ""
	client := must(oapi.NewClientWithResponses(os.Args[1], oapi.WithRequestEditorFn(
		func(_ context.Context, request *http.Request) error {
			if token != "" {
				request.Header.Set("Authorization", "Bearer "+token)
			}
			return nil
		})))
	const email, password = "go@example.com", "a long pass phrase"

	registered := must(client.RegisterUserWithResponse(ctx, oapi.Registration{Email: email, Password: password}))
	expect(registered.JSON201 != nil && registered.JSON201.Email == email, "register")
	login := must(client.LoginWithResponse(ctx, oapi.Credentials{Email: email, Password: password}))
	expect(login.JSON200 != nil && login.JSON200.TokenType == "Bearer", "login")
	token = login.JSON200.AccessToken

	for _, title := range []string{"One", "Two", "Three"} {
		created := must(client.CreateTaskWithResponse(ctx, nil, oapi.TaskItemInput{Title: title}))
		expect(created.JSON201 != nil && created.JSON201.Title == title && created.JSON201.Description == nil, "create")
	}
	status := oapi.Status{oapi.Pending, oapi.InProgress}
	first := must(client.ListTasksWithResponse(ctx, &oapi.ListTasksParams{Limit: pointer(2), Status: &status}))
	expect(first.JSON200 != nil && len(first.JSON200.Items) == 2 && first.JSON200.NextCursor != nil, "first page")
	second := must(client.ListTasksWithResponse(ctx,
		&oapi.ListTasksParams{Limit: pointer(2), Status: &status, Cursor: first.JSON200.NextCursor}))
	expect(second.JSON200 != nil && len(second.JSON200.Items) == 1 && second.JSON200.NextCursor == nil, "second page")

	id := second.JSON200.Items[0].Id
	read := must(client.GetTaskWithResponse(ctx, id, nil))
	match := &oapi.UpdateTaskParams{IfMatch: pointer(read.HTTPResponse.Header.Get("ETag"))}
	changed := must(client.UpdateTaskWithResponse(ctx, id, match, oapi.TaskItemPatch{Status: pointer(oapi.Completed)}))
	expect(changed.JSON200 != nil && changed.JSON200.CompletedAt != nil, "patch")
	late := must(client.UpdateTaskWithResponse(ctx, id, match, oapi.TaskItemPatch{Title: pointer("Late")}))
	expect(late.ApplicationproblemJSON412 != nil && late.ApplicationproblemJSON412.Code == "precondition_failed", "412")
	blank := must(client.CreateTaskWithResponse(ctx, nil, oapi.TaskItemInput{Title: " "}))
	problem := blank.ApplicationproblemJSON422
	expect(problem != nil && *(*problem.Errors)[0].Pointer == "/title", "422")
	removed := must(client.DeleteTaskWithResponse(ctx, id, nil))
	expect(removed.StatusCode() == http.StatusNoContent, "delete")
	absent := must(client.GetTaskWithResponse(ctx, id, nil))
	expect(absent.ApplicationproblemJSON404 != nil && absent.ApplicationproblemJSON404.Code == "not_found", "404")
}
