<?php
$users = ['alice' => password_hash('wonderland', PASSWORD_BCRYPT, ['cost' => 4])];
$user = $_SERVER['PHP_AUTH_USER'] ?? '';

if (!isset($users[$user]) || !password_verify($_SERVER['PHP_AUTH_PW'] ?? '', $users[$user])) {
    http_response_code(401);
    header('WWW-Authenticate: Basic realm="shop", charset="UTF-8"');
    exit('Please log in');
}

echo "Hello $user";
