"""What tests of the admin share: reading a list, and sending a page's form back as it came with a few changes."""


def rows(client, address: str, **asked) -> list:
    """What a list shows, in its order."""
    response = client.get(address, asked)
    assert response.status_code == 200, response.status_code
    return list(response.context["cl"].result_list)


def run_action(client, address: str, action: str, *objects, query: str = "", **more):
    sent = {"action": action, "_selected_action": [str(one.pk) for one in objects]} | more
    return client.post(address + query, sent, follow=True)


def form_of(response) -> dict:
    """Everything the browser would send back from an add or change page."""
    forms = [response.context["adminform"].form]
    for inline in response.context["inline_admin_formsets"]:
        forms += [inline.formset.management_form, *inline.formset.forms]
    sent = {}
    for form in forms:
        for bound in form:
            value = bound.value()
            if value is not None and value is not False:
                sent[bound.html_name] = value
    return sent


def messages_of(response) -> list[str]:
    return [str(message) for message in response.context["messages"]]
