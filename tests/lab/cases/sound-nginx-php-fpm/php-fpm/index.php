<?php
$authorization = $_SERVER['HTTP_AUTHORIZATION'] ?? '';

if (!hash_equals('Bearer ' . file_get_contents(__DIR__ . '/token'), $authorization)) {
    http_response_code(401);
    header('WWW-Authenticate: Bearer realm="orders"');
    echo json_encode(['error' => 'invalid_token']);
    exit;
}

header('Content-Type: application/json');
echo json_encode(['orders' => [1, 2]]);
